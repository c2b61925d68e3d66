"""A server that speaks OpenAI's chat completions, streaming or not; it repeats the question."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "gpt-4o-mini-2024-07-18"
USAGE = {
    "prompt_tokens": 1200,
    "completion_tokens": 300,
    "total_tokens": 1500,
    "prompt_tokens_details": {"cached_tokens": 200},
}


def answer_to(messages: list[dict[str, Any]]) -> str:
    return f"You asked: {messages[-1]['content']}"


class FakeModel(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        asked = json.loads(self.rfile.read(length))
        words = answer_to(asked["messages"])
        if asked.get("stream"):
            self._stream(words)
        else:
            choice = {
                "index": 0,
                "message": {"role": "assistant", "content": words},
                "finish_reason": "stop",
            }
            body = {**self._head("chat.completion"), "choices": [choice], "usage": USAGE}
            self._send(json.dumps(body).encode(), "application/json")

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": MODEL}

    def _stream(self, words: str) -> None:
        chunks: list[dict[str, Any]] = [
            {"delta": {"role": "assistant", "content": word}, "index": 0, "finish_reason": None}
            for word in words.split(" ")
        ]
        for number, chunk in enumerate(chunks[1:], start=1):
            chunks[number] = {**chunk, "delta": {"content": " " + chunk["delta"]["content"]}}
        chunks.append({"delta": {}, "index": 0, "finish_reason": "stop"})
        head = self._head("chat.completion.chunk")
        events = [{**head, "choices": [chunk]} for chunk in chunks]
        events.append({**head, "choices": [], "usage": USAGE})
        lines = [f"data: {json.dumps(event)}\n\n" for event in events]
        self._send("".join([*lines, "data: [DONE]\n\n"]).encode(), "text/event-stream")

    def _send(self, body: bytes, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass


@contextmanager
def running_model() -> Iterator[str]:
    """Yield the base address of the server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeModel)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
