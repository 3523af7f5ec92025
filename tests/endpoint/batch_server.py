"""A real local server that speaks /v1/files and /v1/batches, and answers a batch after so many looks."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Row = dict[str, Any]


@dataclass
class BatchServer:
    """What was sent, and what will be answered: `answer` gives the row of one request, None for no row.

    A batch is done at its `looks`-th retrieval, and then of status `ends`.
    """

    answer: Callable[[Row], Row | None]
    looks: int = 2
    ends: str = "completed"
    endpoint: str = ""
    files: dict[str, str] = field(default_factory=dict)
    batches: dict[str, Row] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)

    def upload(self, body: bytes) -> Row:
        text = body.decode()
        (content,) = re.findall(r'filename="questions\.jsonl".*?\r\n\r\n(.*?)\r\n--', text, re.S)
        assert 'name="purpose"\r\n\r\nbatch' in text
        return self.keep(content)

    def keep(self, content: str) -> Row:
        file_id = f"file-{len(self.files)}"
        self.files[file_id] = content
        return {"id": file_id, "object": "file", "bytes": len(content), "created_at": 0, "purpose": "batch",
                "filename": "x", "status": "processed"}  # fmt: skip

    def create(self, asked: Row) -> Row:
        batch_id = f"batch-{len(self.batches)}"
        self.batches[batch_id] = {
            "id": batch_id, "object": "batch", "status": "in_progress", "created_at": 100,
            "completed_at": None, "output_file_id": None, "error_file_id": None, **asked,
        }  # fmt: skip
        return self.batches[batch_id]

    def look(self, batch_id: str) -> Row:
        self.seen[batch_id] = self.seen.get(batch_id, 0) + 1
        batch = self.batches[batch_id]
        if self.seen[batch_id] >= self.looks and batch["status"] == "in_progress":
            rows = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]
            made = [row for asked in rows if (row := self.answer(asked)) is not None]
            # Answers come in any order.
            output = self.keep("".join(json.dumps(row) + "\n" for row in reversed(made)))
            batch |= {"status": self.ends, "completed_at": 160, "output_file_id": output["id"]}
        return batch


@contextmanager
def batch_serving(server: BatchServer) -> Iterator[BatchServer]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._say(server.upload(body) if self.path == "/v1/files" else server.create(json.loads(body)))

        def do_GET(self) -> None:
            if self.path.endswith("/content"):
                self._send(server.files[self.path.split("/")[3]].encode(), "application/octet-stream")
            elif self.path.startswith("/v1/batches/"):
                self._say(server.look(self.path.split("/")[3]))
            else:
                self._say({"object": "list", "data": list(server.batches.values()), "has_more": False})

        def _say(self, value: Row) -> None:
            self._send(json.dumps(value).encode(), "application/json")

        def _send(self, data: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    server.endpoint = f"http://127.0.0.1:{httpd.server_port}/v1"
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()
