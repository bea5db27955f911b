"""HTTP by bytes, as firmware sees it: nothing is normalised on the way."""

import socket
from dataclasses import dataclass

from tests.registration.golden import Golden


@dataclass(frozen=True)
class RawAnswer:
    """`head`: status line and headers, byte for byte; `headers` in the order and letter case in which they came."""

    head: bytes
    body: bytes

    @property
    def status_line(self) -> str:
        return self.head.split(b"\r\n")[0].decode()

    @property
    def headers(self) -> list[tuple[str, str]]:
        lines = self.head.decode().split("\r\n")[1:]
        return [(name, value) for name, _, value in (line.partition(": ") for line in lines)]

    def header(self, exact_name: str) -> str | None:
        """By the exact letters, as the C clients look for it."""
        return dict(self.headers).get(exact_name)


def request_bytes(path: str, headers: dict[str, str], body: bytes, *, method: str = "POST", version: str = "HTTP/1.1") -> bytes:
    lines = [f"{method} {path} {version}", *(f"{name}: {value}" for name, value in headers.items())]
    if "Content-Length" not in headers and "Transfer-Encoding" not in headers:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def golden_bytes(golden: Golden) -> bytes:
    """The request as the real client sent it."""
    return request_bytes(golden.path, dict(golden.headers), golden.body)


def read_answer(connection: socket.socket) -> RawAnswer:
    """As a C client reads: the head to its blank line, then exactly Content-Length bytes."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(4096)
        if not piece:
            raise AssertionError(f"closed after {received!r}")
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    wanted = int(RawAnswer(head, b"").header("Content-Length") or 0)
    while len(body) < wanted:
        piece = connection.recv(4096)
        if not piece:
            raise AssertionError("closed within the body")
        body += piece
    return RawAnswer(head, body)


def exchange(connection: socket.socket, sent: bytes) -> RawAnswer:
    connection.sendall(sent)
    return read_answer(connection)
