"""A real local server that answers in the format of OpenAI, from a list of prepared answers."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD = json.dumps({"note": "The note reports orthopnea.", "series": "Creatinine is high."})


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
    """Where the server listens, and every request it got."""

    endpoint: str
    requests: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def serving(answers: Sequence[tuple[int, Any]]) -> Iterator[Served]:
    """Serve (status, body) in turn, the last one for ever; a body of str is sent as it is."""
    served = Served("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            served.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            status, body = answers[min(len(served.requests), len(answers)) - 1]
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    served.endpoint = f"http://127.0.0.1:{httpd.server_port}/v1"
    try:
        yield served
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()
