"""manage.py simulate against the running server (N5)."""

from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from devices.models import Device
from products.models import Product
from registration.management.simulation import names_in
from registration.models import DeviceLogEntry
from tests import cast
from tests.processes import Server
from tests.registration.knocking import SECRETS

EVERY = pytest.mark.parametrize("protocol", ["alibaba", "tencent-new", "tencent-old", "native"])


def simulate(server: Server, product: Product, *arguments: str, secret: str = "") -> str:
    out = StringIO()
    common = ["--url", server.url, "--product-key", product.key, "--product-secret", secret or SECRETS[product.key]]
    call_command("simulate", *common, *arguments, stdout=out)
    return out.getvalue()


def rows(printed: str) -> dict[str, list[str]]:
    """Kind -> the rest of its lines' words."""
    return {
        line[2:16].strip(): line[16:].split() for line in printed.splitlines()[1:] if line.startswith(("  ", "! ")) and line[2:3].strip()
    }


@EVERY
def test_it_registers_repeats_clones_forges_and_invents_devices(running_server: Server, protocol: str) -> None:
    cast.home()
    product = cast.tracker()
    for number in range(8):
        cast.row(product, f"sim-{number:06d}")
    options = ["--count", "8", "--repeat", "1", "--unknown", "3", "--bad-signatures", "4", "--clones", "2", "--concurrency", "4"]
    printed = simulate(running_server, product, "--protocol", protocol, *options)
    assert set(rows(printed)) == {"first", "clone", "repeat", "unknown name", "bad signature"}
    assert Counter(DeviceLogEntry.objects.of_product(product.key).values_list("code", flat=True)) == {
        "accepted": 18,
        "not_imported": 3,
        "bad_signature": 4,
    }
    assert Device.objects.at(cast.home()).count() == 8
    assert "25 requests" in printed
    assert SECRETS[product.key] not in printed


def test_it_fails_when_a_device_that_should_be_let_in_is_refused(running_server: Server) -> None:
    cast.home()
    product = cast.tracker(dynamic_registration=False)
    with pytest.raises(CommandError, match="unexpected"):
        simulate(running_server, product, "--count", "1", "--protocol", "alibaba")


def test_it_fails_when_an_unknown_name_is_let_in_unless_that_was_expected(running_server: Server) -> None:
    cast.home()
    product = cast.tracker(auto_create=True, auto_create_limit=9)
    with pytest.raises(CommandError, match="unexpected"):
        simulate(running_server, product, "--count", "1", "--unknown", "1")
    assert "6 requests" in simulate(running_server, product, "--count", "3", "--unknown", "3", "--auto-create")


def test_it_fails_when_nothing_answers(running_server: Server) -> None:
    cast.home()
    with pytest.raises(CommandError, match="unexpected"):
        call_command(
            "simulate", "--url", "http://127.0.0.1:9", "--product-key", "x", "--product-secret", "x", "--count", "1", stdout=StringIO()
        )


def test_it_takes_names_from_a_file_and_calls_another_data_center(running_server: Server, tmp_path: Path) -> None:
    cast.home()
    frankfurt = cast.frankfurt()
    product = cast.kettle()
    cast.row(product, "0015A3B4C5D6")
    file = tmp_path / "names.csv"
    file.write_text("ProductKey,DeviceName,DeviceSecret\na1ExpAkj9Hi,0015A3B4C5D6,x\n")
    simulate(running_server, product, "--protocol", "alibaba", "--names-from", str(file), "--host", "frankfurt.devices.test")
    assert Device.objects.at(frankfurt).count() == 1


@pytest.mark.parametrize("text", ["a\nb\n", "a,1\nb,2\n", "Product,Device Name\nx,a\n\nx,b\n", "DeviceName\na\nb"])
def test_it_reads_names_from_a_list_or_a_file_of_activation_codes(text: str) -> None:
    assert names_in(text) == ("a", "b")


def test_it_wants_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NAMEPLATE_SIMULATE_SECRET", raising=False)
    with pytest.raises(CommandError, match="NAMEPLATE_SIMULATE_SECRET"):
        call_command("simulate", "--product-key", "x")


@pytest.mark.parametrize(("content", "words"), [(None, "cannot be read"), (b"", "holds no names"), (b"\xff\xfe\x00", "cannot be read")])
def test_it_says_when_a_file_has_no_names(tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "names.csv"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandError, match=words):
        call_command("simulate", "--product-key", "a1", "--product-secret", "s", "--protocol", "alibaba", "--names-from", str(file))
