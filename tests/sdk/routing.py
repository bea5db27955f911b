"""Run by the SDK's own Python: what DNS and the operator's CA would do, and nothing else."""

import socket
import ssl

_connect = socket.create_connection
_context = ssl.create_default_context


def lead_here(port, *suffixes):
    """Connections to hosts with these endings go to 127.0.0.1:port, whatever port the SDK has compiled in."""

    def create_connection(address, *args, **kwargs):
        if str(address[0]).endswith(suffixes):
            address = ("127.0.0.1", port)
        return _connect(address, *args, **kwargs)

    socket.create_connection = create_connection


def trust(ca_file):
    """The vendor's CAs are replaced by ours; everything else about TLS stays as the SDK asks for it."""

    def create_default_context(purpose=ssl.Purpose.SERVER_AUTH, *, cafile=None, capath=None, cadata=None):
        return _context(purpose, cafile=ca_file)

    ssl.create_default_context = create_default_context
