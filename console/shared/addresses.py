"""The address of a client, device or browser, behind the proxies that we trust."""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

ANY = "*"


def client_address(meta: Mapping[str, str], trusted: Sequence[str]) -> str:
    """The nearest address that is not a trusted proxy's; empty when there is none (a Unix socket without a proxy's word).

    `trusted`: addresses or networks, or `*` when only proxies reach us. X-Forwarded-For is read from its end, where the proxy that
    reached us has written: what stands before the first untrusted address may be a stranger's invention.
    """
    hops = [hop.strip() for hop in meta.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    nearest = meta.get("REMOTE_ADDR", "")
    while hops and is_trusted(nearest, tuple(trusted)):
        nearest = _bare(hops.pop())
    return nearest if _parsed(nearest) else ""


def is_trusted(address: str, trusted: tuple[str, ...]) -> bool:
    """Whether it is one of these addresses, or in one of these networks; `*` are all."""
    parsed = _parsed(address)
    if ANY in trusted:
        return True
    return parsed is not None and any(parsed in network for network in _networks(trusted))


@cache
def _networks(trusted: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(one, strict=False) for one in trusted)


def split_bind(bind: str) -> tuple[str, int]:
    """Address and port of "127.0.0.1:8000" or "[::1]:8000". Raises ValueError."""
    host, _, port = bind.rpartition(":")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104  (an empty address means all of them, as it does for gunicorn)


def _bare(hop: str) -> str:
    """Without brackets and port, as some proxies write them."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


@lru_cache(maxsize=4096)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
