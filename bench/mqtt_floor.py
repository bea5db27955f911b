"""The floor of the registrar: a bare protocol on the same loop that reads something and answers always the same.

`python -m bench.mqtt_floor PORT ANSWER-IN-HEX [CERTIFICATE KEY]`
"""

import asyncio
import sys
from pathlib import Path
from typing import cast

import uvloop

from registration.servers.tls import ServerTls


class Bare(asyncio.Protocol):
    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.transport.write(self.answer)


async def main(port: int, answer: bytes, certificate: list[str]) -> None:
    tls = ServerTls(Path(certificate[0]), Path(certificate[1]), "standard").context if certificate else None
    server = await asyncio.get_running_loop().create_server(lambda: Bare(answer), "127.0.0.1", port, ssl=tls, backlog=1024)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), bytes.fromhex(sys.argv[2]), sys.argv[3:]))
