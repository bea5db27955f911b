"""A broker that only listens: what reaches it, byte by byte, and whose connection it was said to be."""

import socket
import threading
from dataclasses import dataclass, field
from typing import Self

from registration.servers.proxy_header import FIXED_LENGTH, Origin, read_v2, rest_of_v2


@dataclass
class Heard:
    """`origin`: of the PROXY header; None where none is expected."""

    connection: socket.socket
    origin: Origin | None
    received: bytes = b""


@dataclass
class ListeningBroker:
    """Answers every first packet with CONNACK 0 and then sends back what it gets."""

    proxy_header: bool = True
    heard: list[Heard] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)  # Or the thread that waits would still take one more.
        self._socket.close()
        for one in self.heard:
            one.connection.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            heard = Heard(connection, _header(connection) if self.proxy_header else None)
            heard.received = connection.recv(65536)
            self.heard.append(heard)
            connection.sendall(b"\x20\x02\x00\x00")
            while piece := connection.recv(65536):
                heard.received += piece
                connection.sendall(piece)
        except OSError:
            pass
        finally:
            connection.close()


def _header(connection: socket.socket) -> Origin:
    fixed = _exactly(connection, FIXED_LENGTH)
    return read_v2(fixed, _exactly(connection, rest_of_v2(fixed)))


def _exactly(connection: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        piece = connection.recv(count - len(got))
        if not piece:
            raise OSError("It went away within the header.")
        got += piece
    return got
