"""A real local server that answers in the format of OpenAI, well or badly, as prepared."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD = json.dumps({"note": "The note reports orthopnea.", "series": "Creatinine is high."})
DROP, HANG, CUT = "drop", "hang", "cut"
"""For a status: close without a word; answer too late; send half of what was announced."""
HANG_SECONDS = 2.0

Said = tuple[int | str, Any] | tuple[int | str, Any, dict[str, str]]


def completion(content: Any, finish: str = "stop", **message: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "tiny",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": content, **message},
            }
        ],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }


@dataclass
class Served:
    """Where the server listens, every request it got, and when."""

    endpoint: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)


@contextmanager
def serving(answers: Sequence[Said] | Callable[[dict[str, Any]], Said]) -> Iterator[Served]:
    """Serve (status, body[, headers]) in turn, the last one for ever, or what a function of the request says.

    A body of str is sent as it is.
    """
    served, lock = Served(""), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            asked = json.loads(sent) if self.headers["Content-Type"] == "application/json" else {}
            with lock:
                served.requests.append(asked)
                served.times.append(time.monotonic())
                number = len(served.requests)
            said = answers(asked) if callable(answers) else answers[min(number, len(answers)) - 1]
            status, body, headers = (*said, {})[:3]
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            if status == DROP:
                self.close_connection = True
                return
            if status == HANG:
                time.sleep(HANG_SECONDS)
            self.send_response(status if isinstance(status, int) else 200)
            self.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if status == CUT else data)
            self.close_connection = status == CUT

        def log_message(self, *_: Any) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    served.endpoint = f"http://127.0.0.1:{httpd.server_port}/v1"
    try:
        yield served
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()
