"""Run by test_drift.py in a process of its own: drift where a data center's device list lives in another database."""

import django

django.setup()

from devices.models import Device  # noqa: E402
from devices.rules.drift import Drift  # noqa: E402
from devices.services import drift  # noqa: E402
from devices.services.admission import admit  # noqa: E402
from products.models import DataCenter  # noqa: E402
from products.services import data_centers  # noqa: E402
from products.services.lookup import find_for_registration  # noqa: E402
from tests import cast  # noqa: E402
from tests.cast import NOON, OPERATOR  # noqa: E402


def tell() -> None:
    cast.home()
    frankfurt = data_centers.save(DataCenter(), code="eu", name="Frankfurt", database="frankfurt", hosts=["eu.test"], by=OPERATOR, at=NOON)
    kettle = cast.kettle(auto_create=True, auto_create_limit=5)
    row = cast.row(kettle, "A4C138000001", nickname="Kitchen")
    cast.row(kettle, "A4C138000002")
    product = find_for_registration(kettle.key, at=NOON)
    for name in ("A4C138000001", "A4C138000009"):
        admit(data_center=frankfurt, product=product, device_name=name, at=NOON)
    Device.objects.using("frankfurt").filter(device_name="A4C138000001").update(nickname="Bath")

    assert [line.drift for line in drift.page(kettle, frankfurt).lines] == [Drift.DIFFERS, Drift.ONLY_HERE]
    assert [line.device_name for line in drift.page(kettle, frankfurt, wanted=Drift.ONLY_THERE).lines] == ["A4C138000009"]
    assert [(center.code, line.drift) for center, line in drift.of_row(row)] == [("cn-shanghai", "only_here"), ("eu", "differs")]


tell()
print("told")
