"""A server in a process of its own that answers in a fixed time, a fixed number of questions at once.

It speaks the format of OpenAI. The answer depends on the question alone. `GET /` tells how many questions
were served, and which share of its places was busy from the first question's start to the last one's end.
"""

import asyncio
import hashlib
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def steady_server(seconds: float, at_once: int) -> Iterator[str]:
    """Start the server and give its base URL; it ends with the block."""
    command = [sys.executable, __file__, str(seconds), str(at_once)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        finally:
            server.kill()


def counts(url: str) -> dict[str, float]:
    """What the server tells of itself: served, busy_share."""
    with urllib.request.urlopen(url.removesuffix("v1")) as told:
        found: dict[str, float] = json.load(told)
        return found


class _Server:
    def __init__(self, seconds: float, at_once: int) -> None:
        self.seconds, self.at_once, self.places = seconds, at_once, asyncio.Semaphore(at_once)
        self.served, self.busy, self.first, self.last = 0, 0.0, 0.0, 0.0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                if head.startswith(b"get"):
                    answer = self.told()
                else:
                    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
                    answer = await self.answered(await reader.readexactly(length))
                data = json.dumps(answer).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n" % len(data) + data)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def answered(self, body: bytes) -> dict[str, Any]:
        async with self.places:
            began = time.monotonic()
            self.first = self.first or began
            await asyncio.sleep(self.seconds)
            self.last = time.monotonic()
            self.served, self.busy = self.served + 1, self.busy + self.last - began
        mark = hashlib.sha256(body).hexdigest()[:8]
        text = json.dumps(
            {"note": f"The note reports orthopnea. Case {mark}.", "series": "Creatinine is high."}
        )
        message = {"role": "assistant", "content": text}
        return {
            "id": mark, "object": "chat.completion", "created": 0, "model": "steady",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": len(body) // 4, "completion_tokens": 20, "total_tokens": 0},
        }  # fmt: skip

    def told(self) -> dict[str, Any]:
        whole = self.at_once * (self.last - self.first)
        return {"served": self.served, "busy_share": self.busy / whole if whole else 0.0}


async def main() -> None:
    """Serve on a free port, which is printed, until killed."""
    own = _Server(float(sys.argv[1]), int(sys.argv[2]))
    server = await asyncio.start_server(own.talk, "127.0.0.1", 0, limit=2**20)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
