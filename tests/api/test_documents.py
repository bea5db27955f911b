"""The examples of docs/api.md and of the API's description, as somebody would try them."""

import re
import subprocess
from pathlib import Path

import pytest

from console.api import actions
from tests import cast
from tests.api.callers import Program, make_key
from tests.processes import Server
from tests.products import ca_cast

EXAMPLES = re.findall(r"```sh\n(.*?)```", (Path(__file__).parents[2] / "docs/api.md").read_text(), re.DOTALL)


FROM_ONE = pytest.mark.django_db(transaction=True, reset_sequences=True)
"""The examples say 1 where a number is meant."""


@FROM_ONE
@pytest.mark.slow
def test_every_curl_of_the_document_works(running_server: Server) -> None:
    cast.home()
    cast.kettle()
    env = {"NAMEPLATE": running_server.url, "KEY": make_key()[0], "PATH": "/usr/bin:/bin"}
    assert len(EXAMPLES) >= 5
    for example in EXAMPLES:
        done = subprocess.run(["bash", "-euc", example], env=env, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{example}\n{done.stdout}{done.stderr}"
        assert '"status":4' not in done.stdout


PLACES = {"<word:key>": "a1ExpAkj9Hi", "<word:code>": "cn-shanghai", "<number:number>": "1", "<word:form>": "csv", "<word:kind>": "batch"}
NEEDS_MORE = {
    "import_upload": 404,
    "undo_batch": 409,
    "make_download_code": 409,
    "revoke_download_code": 404,
    "redeem_download_code": 404,
    "bind_serial_number": 404,
    "download_labels": 409,
    "change_device": 404,
    "reset_device": 404,
    "switch_client_id": 404,
    "upload_certificate_authority": 422,
    "prove_certificate_authority": 422,
    "upload_revocation_list": 422,
    "take_up_issuing_ca": 422,
    "use_outside_ca": 409,
    "revoke_issued_certificate": 404,
    "set_next_certificate": 404,
    "reset_device_pin": 404,
    "revoke_certificates_of_device": 404,
    "what_if_certificate": 422,
}
"""What there is nothing for yet: the example is well formed, and finds nothing. One of a certificate has three dots in its middle."""


@FROM_ONE
def test_every_example_of_the_description_is_taken() -> None:
    cast.home()
    cast.row(cast.kettle(), "A4DA32000099")
    ca_cast.uploaded(ca_cast.make())
    program, wrong, tried = Program(), [], 0
    order = {"create_mac_pool": 0, "change_product": 9}
    found = [(address, verb, getattr(view, verb).operation) for address, view in actions.addresses()
             for verb in ("post", "patch") if hasattr(getattr(view, verb, None), "operation")]  # fmt: skip
    for address, verb, plan in sorted(found, key=lambda one: order.get(one[2].name, 5)):
        for example in plan.examples:
            path = f"/{address}"
            for place, value in PLACES.items():
                path = path.replace(place, value)
            answer = program.call(verb, path, example.value)
            tried += 1
            if answer.status_code != NEEDS_MORE.get(plan.name, answer.status_code if answer.status_code < 300 else 200):
                wrong.append((plan.name, answer.status_code, answer.content))
    assert tried >= 20
    assert not wrong
