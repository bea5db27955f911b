"""The devices of a batch as they are now (Q8): what their rows say, and the state of each in every data center."""

from collections.abc import Iterable, Iterator, Sequence

from devices.models import Device
from products.models import DataCenter, Product

FACTS = ("device_name", "sealed_secret", "nickname", "sn", "authentication")
COLUMNS = ("ProductKey", "DeviceName", "Nickname", "SN", "Authentication", "DeviceSecret")

States = dict[str, str]
"""DeviceName → one of devices.rules.lifecycle's words, for the devices that are in the list."""


def states(product_id: int, device_names: Iterable[str], data_centers: Iterable[DataCenter]) -> list[States]:
    """One for each data center: a query each."""
    names = list(device_names)
    return [_states_at(product_id, names, data_center) for data_center in data_centers]


class Table:
    """The columns and cells of a batch data file. Words for states are English, as the columns' names are: programs read them."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.data_centers = list(DataCenter.objects.order_by("pk"))
        self.columns = (*COLUMNS, *(f"State at {data_center.name}" for data_center in self.data_centers))

    def cells(self, rows: Sequence[Sequence[str | None]], secrets: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """`rows`: the number and the FACTS of each; `secrets`: their DeviceSecrets in the same order."""
        names = [str(row[1]) for row in rows]
        at_centers = states(self.product.pk, names, self.data_centers)
        for (_, name, _, nickname, sn, authentication), secret in zip(rows, secrets, strict=True):
            known = (here.get(str(name), "") for here in at_centers)
            yield self.product.key, str(name), nickname or "", sn or "", authentication or "", secret, *known


def _states_at(product_id: int, names: list[str], data_center: DataCenter) -> States:
    here = Device.objects.at(data_center).filter(product_id=product_id, device_name__in=names)
    times = ("activated_at", "last_online_at", "last_offline_at", "last_seen_at")
    return {device.device_name: device.state for device in here.only("device_name", "enabled", *times)}
