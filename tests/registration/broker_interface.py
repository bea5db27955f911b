"""A broker's HTTP interface for tests: it answers as it is told and remembers what it was asked."""

import http.server
import threading
from base64 import b64decode
from types import TracebackType
from typing import Self


class BrokerInterface:
    """`answers`: (status, body) by "METHOD path with query"; anything else is answered with 404. `asked`: those, with user and secret."""

    def __init__(self, answers: dict[str, tuple[int, bytes]]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str]] = []
        told = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self) -> None:
                kind, _space, login = self.headers.get("Authorization", "").partition(" ")
                what = f"{self.command} {self.path}"
                told.asked.append((what, b64decode(login).decode() if kind == "Basic" else ""))
                status, body = told.answers.get(what, (404, b""))
                self.send_response(status)
                if status in range(300, 400):
                    self.send_header("Location", "/elsewhere")
                if status != 204:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                self.answer()

            def do_DELETE(self) -> None:
                self.answer()

            def log_message(self, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
