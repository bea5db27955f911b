"""Section "Devices with certificates" of the guide: every line for a shell is run as it is written, in its order and in one folder, by the
real openssl and curl; between them the operator does at the console what the text says. The device calls the real nginx."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from devices.models import Device
from products.models import BrokerKind, Product
from products.rules.openssl_lines import proof_lines
from products.services import issuing_profiles
from registration.models import DeviceLogEntry
from tests import cast, certificates, gateways
from tests.api.callers import Program
from tests.gateways import Gateway
from tests.house.source import ROOT
from tests.processes import Server
from tests.registration import hooking, waiting

pytestmark = pytest.mark.nginx
SECTION = re.compile(r"^## \d+\. Devices with certificates$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```(\w*)$\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DEVICES, CONSOLE = "devices.example.com", "console.example.com"
FIRST, SECOND = "A4C138000001", "A4C138000002"
ASK = "curl --silent --show-error --cert {0}.pem --key {1}.key https://devices.example.com:8443/connect\n"
CONNECT, CONNECT_WITH_NEXT, CONNECT_WITH_LINE = (
    ASK.format("device", "device"),
    ASK.format("next", "next"),
    ASK.format("second-with-line", "second"),
)


class Guide:
    """The section's blocks in their order, each run once, in `folder`."""

    def __init__(self, folder: Path, curlrc: str) -> None:
        found = SECTION.search((ROOT / "docs" / "guide.md").read_text())
        assert found
        blocks = BLOCK.findall(found[1])
        assert {kind for kind, _text in blocks} == {"sh"}, "Whatever can be copied into a shell is run."
        self.folder, self.text = folder, found[1]
        self._left = [text for _kind, text in blocks]
        (folder / ".curlrc").write_text(curlrc)

    def next(self, beginning: str, **replaced: str) -> str:
        """What the next block says, which has to have these words. `replaced`: what the text says is to be filled in."""
        text = self._left.pop(0)
        assert beginning in text, f"Another block is next:\n{text}"
        for old, new in replaced.items():
            assert old.replace("_", "-") in text
            text = text.replace(old.replace("_", "-"), new)
        return self._run(text)

    def _run(self, text: str) -> str:
        """In a POSIX shell that stops at the first error."""
        env = os.environ | {"CURL_HOME": str(self.folder)}
        done = subprocess.run(["sh", "-eu"], input=text, cwd=self.folder, env=env, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{text}\n{done.stderr}"
        return done.stdout

    def asked(self, line: str) -> dict[str, Any]:
        """What a device is told by the next block, which is this line."""
        found: dict[str, Any] = json.loads(self.next(line))
        return found

    def asked_again(self, line: str) -> dict[str, Any]:
        """By a line that the guide has further up or down."""
        assert line in self.text
        found: dict[str, Any] = json.loads(self._run(line))
        return found

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    @property
    def is_over(self) -> bool:
        return not self._left


class Operator:
    """At the console, by the management API."""

    def __init__(self) -> None:
        self._program = Program()

    def does(self, method: str, path: str, **body: Any) -> Any:
        answer = self._program.call(method, path, body if method != "get" else None)
        assert answer.status_code < 300, f"{path}: {answer.content}"
        return answer.json() if answer.content else None

    def certificate_of(self, device_name: str) -> Any:
        return self.does("get", f"{self.path_of(device_name)}/certificate")

    def path_of(self, device_name: str) -> str:
        device = Device.objects.at(cast.home()).get(device_name=device_name)
        return f"/data-centers/cn-shanghai/devices/{device.pk}"


@pytest.fixture
def product(transactional_db: None) -> Product:
    cast.home()
    issuing_profiles.forget()
    return cast.kettle()


@pytest.fixture
def guide(tmp_path: Path, running_server: Server, product: Product, front: Gateway) -> Guide:
    ways = {f"{DEVICES}:8443": front.port, f"{CONSOLE}:80": running_server.port}
    connect = "\n".join(f'connect-to = "{called}:127.0.0.1:{port}"' for called, port in ways.items())
    folder = tmp_path / "works"
    folder.mkdir()
    return Guide(folder, f'{connect}\ncacert = "{front.ca}"\nnoproxy = "*"\n')


@pytest.fixture
def front(tmp_path: Path, running_server: Server, product: Product) -> Iterator[Gateway]:
    folder = tmp_path / "nginx"
    folder.mkdir()
    secret = hooking.broker(BrokerKind.NGINX).secret
    running = gateways.start_nginx(folder, console=running_server.url, secret=secret, tls=certificates.make_rsa(folder, DEVICES))
    yield running
    running.stop()


def refused(answer: dict[str, Any], code: str) -> DeviceLogEntry:
    """The entry in the log, which has the reason."""
    assert answer["code"] == "refused"
    waiting.until(lambda: DeviceLogEntry.objects.filter(request_id=answer["requestId"]).exists())
    entry = DeviceLogEntry.objects.get(request_id=answer["requestId"])
    assert entry.code == code
    return entry


def a_ca_that_counts(guide: Guide, operator: Operator, product: Product) -> str:
    """Its path in the API."""
    guide.next("-out ca.pem")
    row = operator.does("post", "/certificate-authorities", certificate=guide.read("ca.pem"))
    path = f"/certificate-authorities/{row['id']}"
    assert "\n".join(proof_lines("PROOF-CODE")) in (ROOT / "docs" / "guide.md").read_text(), "The page and the guide say the same."
    guide.next("-out proof.pem", PROOF_CODE=row["proof_code"])
    operator.does("post", f"{path}/proof", verification=guide.read("proof.pem"))
    operator.does("put", f"{path}/products", products=[product.key])
    assert operator.does("post", f"{path}/activate")["state"] == "active"
    return path


def fingerprint_in(told: str) -> str:
    """As openssl writes it, with colons."""
    found = re.search(r"Fingerprint=([0-9A-F:]+)$", told, re.MULTILINE)
    assert found
    return found[1]


@pytest.mark.parametrize("known", [True, False], ids=["with the fingerprint", "without"])
def test_every_line_of_it_leads_on(guide: Guide, product: Product, known: bool) -> None:
    operator = Operator()
    path = a_ca_that_counts(guide, operator, product)

    guide.next("-out device.pem")
    looked_at = guide.next("openssl verify -purpose sslclient -CAfile ca.pem device.pem")
    assert "device.pem: OK" in looked_at
    row = {"product_key": product.key, "device_name": FIRST, "authentication": "x509"}
    operator.does("post", "/pre-import", **row, certificate_fingerprint=fingerprint_in(looked_at) if known else "")

    told = guide.asked(CONNECT)
    assert (told["productKey"], told["deviceName"]) == (product.key, FIRST)
    on_page = operator.certificate_of(FIRST)
    assert on_page["first_seen_at"] and on_page["subject"] == f"CN={FIRST}"

    whose = quote(guide.next("openssl x509 -in device.pem -noout -fingerprint\n").strip())
    assert [one["device_name"] for one in operator.does("get", f"/data-centers/cn-shanghai/devices?search={whose}")["items"]] == [FIRST]

    announced = fingerprint_in(guide.next("-out next.pem")).replace(":", "").lower()
    entry = refused(guide.asked_again(CONNECT_WITH_NEXT), "certificate_not_pinned")
    assert (entry.facts["expected"], entry.facts["seen"]) == (on_page["sha256"], announced)
    operator.does("post", f"{operator.path_of(FIRST)}/certificate/next", fingerprint=announced)
    assert guide.asked_again(CONNECT)["deviceName"] == FIRST
    assert guide.asked(CONNECT_WITH_NEXT)["deviceName"] == FIRST
    assert operator.certificate_of(FIRST)["sha256"] == announced
    refused(guide.asked_again(CONNECT), "certificate_not_pinned")

    operator.does("post", f"{operator.path_of(FIRST)}/certificate/reset", reason="the old board again")
    assert guide.asked_again(CONNECT)["deviceName"] == FIRST
    serial = guide.next("openssl x509 -in device.pem -noout -serial").removeprefix("serial=").strip()
    operator.does("post", f"{path}/revoked-serials", serial=serial, reason="key_compromise")
    refused(guide.asked_again(CONNECT), "certificate_revoked")
    operator.does("post", f"{operator.path_of(FIRST)}/certificate/reset", fingerprint=announced)
    assert guide.asked_again(CONNECT_WITH_NEXT)["deviceName"] == FIRST
    assert "Key Compromise" in guide.next("-gencrl -out crl.pem")
    operator.does("post", f"{path}/revocation-list/upload", list=guide.read("crl.pem"))
    refused(guide.asked_again(CONNECT_WITH_NEXT), "certificate_revoked")

    an_intermediate_ca(guide, operator, product)
    a_ca_of_the_console(guide, operator, product)
    assert guide.is_over


def an_intermediate_ca(guide: Guide, operator: Operator, product: Product) -> None:
    assert "second.pem: OK" in guide.next("cat second.pem line.pem > second-with-line.pem")
    operator.does("post", "/pre-import", product_key=product.key, device_name=SECOND, authentication="x509")
    line = operator.does("post", "/certificate-authorities", certificate=guide.read("line.pem"), products=[product.key])
    reason = {"reason": "its key is in the machine that signs"}
    operator.does("post", f"/certificate-authorities/{line['id']}/accept-without-proof", **reason)
    operator.does("post", f"/certificate-authorities/{line['id']}/activate")
    assert guide.asked(CONNECT_WITH_LINE)["deviceName"] == SECOND
    operator.does("post", f"{operator.path_of(SECOND)}/certificate/revoke", reason="key_compromise")
    refused(guide.asked_again(CONNECT_WITH_LINE), "certificate_revoked")


def a_ca_of_the_console(guide: Guide, operator: Operator, product: Product) -> None:
    made = operator.does("post", f"/products/{product.key}/issuing-ca", name="Kettle devices", kind="ec-p256")
    text = guide.next("openssl crl -inform DER", **{"1.crl": f"{made['certificate_authority']}.crl"})
    assert "Issuer: CN = Kettle devices" in text
