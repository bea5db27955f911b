"""What stands in the log's search field, and in its field for addresses: exact values and beginnings, each by its own index."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from uuid import UUID

from django.db import connections
from django.db.models import Q

from devices.admin.device_filters import as_stored_mac
from registration.querysets import DeviceLogEntryQuerySet

Network = IPv4Network | IPv6Network


def search(entries: DeviceLogEntryQuerySet, text: str) -> DeviceLogEntryQuerySet:
    """By a request number; by an address or a network; else by the beginning of a DeviceName (a MAC address in any spelling), or a whole
    ProductKey or ClientID."""
    term = text.strip()
    if not term:
        return entries
    number = _request_number(term)
    if number:
        return entries.filter(request_id=number)
    network = network_of(term) if "." in term or ":" in term else None
    if network is not None:
        return from_network(entries, network)
    return entries.filter(beginning(term) | Q(product_key=term) | Q(client_id=term))


def beginning(name: str) -> Q:
    """A DeviceName that begins so; a MAC address, whole or in part, in any spelling."""
    wanted, mac = Q(device_name__startswith=name), as_stored_mac(name)
    return wanted | Q(device_name__startswith=mac) if mac and mac != name else wanted


def network_of(text: str) -> Network | None:
    """Of "192.0.2.7" (itself alone), "192.0.2.0/24", "2001:db8::/32". None for anything else."""
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def from_network(entries: DeviceLogEntryQuerySet, network: Network) -> DeviceLogEntryQuerySet:
    """Whose address lies in it. SQLite compares addresses as texts: there a network of IPv6 finds nothing."""
    if network.num_addresses == 1:
        return entries.filter(address=str(network.network_address))
    if connections[entries.db].vendor == "postgresql":
        return entries.filter(address__gte=str(network[0]), address__lte=str(network[-1]))
    if isinstance(network, IPv6Network):
        return entries.none()
    wanted = Q()
    for part in network.subnets(new_prefix=-(-max(network.prefixlen, 1) // 8) * 8):
        octets = str(part.network_address).split(".")[: part.prefixlen // 8]
        wanted |= Q(address=".".join(octets)) if len(octets) == 4 else Q(address__startswith=".".join([*octets, ""]))
    return entries.filter(wanted)


def _request_number(term: str) -> UUID | None:
    try:
        return UUID(term)
    except ValueError:
        return None
