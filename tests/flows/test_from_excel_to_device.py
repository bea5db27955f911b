"""From an Excel of MAC addresses to a registered device: an operator in Chromium, the real server and worker, the vendors' own SDKs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from console.shared.actors import SYSTEM
from products.models import DataCenter
from products.services import data_centers
from tests import cast, certificates
from tests.flows.operator import Operator
from tests.flows.steps import (
    ALIBABA_HOST,
    FIRMWARE_KEY,
    FIRMWARE_SECRET,
    MACS,
    Stage,
    add_a_data_center,
    compare_the_activation_codes,
    correct_a_workbook_until_it_is_taken,
    find_no_device,
    find_the_device,
    make_a_product,
    produce_from_excel,
    publish_and_grant,
    read_the_certificate,
    read_the_log,
    turn_on_registration,
)
from tests.processes import Process, Server
from tests.registration import environments
from tests.registration.environments import driven

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(600)]

PROVEN = "The proof was made with the product's secret."
NEW = "The DeviceName is in the pre-import list and new in this data center."
HANDED = "It was added to the device list and handed its DeviceSecret."


@pytest.fixture
def stage(running_server: Server, start_server: Callable[..., Server], start_worker: Callable[..., Process], tmp_path: Path) -> Stage:
    """A console as after the first start: an administrator, and one data center for everything."""
    an_administrator()
    data_centers.save(DataCenter(is_home=True), code="home", name="Frankfurt", database="default", hosts=[], by=SYSTEM, at=cast.NOON)
    files = certificates.make_rsa(tmp_path, ALIBABA_HOST)
    return Stage(running_server, start_server(tls=files, NAMEPLATE_PRODUCT_CACHE_SECONDS="0"), files[0], tmp_path, start_worker)


def test_an_operator_produces_a_thousand_kettles_and_one_of_them_registers(stage: Stage, operator_at: Callable[[str], Operator]) -> None:
    operator = operator_at(stage.console.url)
    operator.sign_in("admin", cast.PASSWORD)
    add_a_data_center(operator)
    make_a_product(operator, "Kettle", "Alibaba Link SDK", "MAC address", ProductKey=FIRMWARE_KEY, ProductSecret=FIRMWARE_SECRET)
    publish_and_grant(operator, 1200)
    turn_on_registration(operator, stage.console)

    produce_from_excel(operator, stage)
    compare_the_activation_codes(operator, stage)

    told = driven(environments.ALIBABA, "alibaba_driver.py", str(stage.doors.port), str(stage.ca), FIRMWARE_KEY, FIRMWARE_SECRET, MACS[41])
    assert told[0] == 0, told[1]
    find_the_device(operator, MACS[41], at="Shanghai", not_at="Frankfurt", secret=told[1])
    read_the_log(operator, MACS[41], "Accepted", PROVEN, NEW, HANDED, at="Shanghai")


def test_an_operator_imports_trackers_and_reads_why_others_were_refused(stage: Stage, operator_at: Callable[[str], Operator]) -> None:
    operator = operator_at(stage.console.url)
    operator.sign_in("admin", cast.PASSWORD)
    make_a_product(operator, "Tracker", "Tencent IoT SDK", "Free text")
    publish_and_grant(operator, 10)
    turn_on_registration(operator, stage.console)
    key, secret = read_the_certificate(operator)
    stage.start_worker()
    correct_a_workbook_until_it_is_taken(operator, stage, key)

    def register(name: str, signed_with: str = secret) -> tuple[int, str]:
        return driven(environments.TENCENT, "tencent_driver.py", str(stage.console.port), key, signed_with, name)

    code, psk = register("crate-2")
    assert code == 0, psk
    find_the_device(operator, "crate-2", at="Frankfurt", secret=psk)
    read_the_log(operator, "crate-2", "Accepted", PROVEN, NEW, HANDED)
    assert register("crate-3", signed_with=secret[::-1]) == (-1, "Check signature failed")
    read_the_log(operator, "crate-3", "Bad signature", "The signature was not made with this product's secret.")
    assert register("stranger-1")[0] == -1
    read_the_log(operator, "stranger-1", "Not imported", "The DeviceName is not in the pre-import list, and automatic creation is off.")
    find_no_device(operator, "crate-3", "stranger-1")


def an_administrator() -> None:
    """Whose password the server can check: the tests' own hasher is none of the server's."""
    get_user_model().objects.filter(pk=cast.administrator().pk).update(password=PBKDF2PasswordHasher().encode(cast.PASSWORD, "salt"))
