"""manage.py verify_receipt as its own process with no database to ask, and the lines of docs/receipts.md as they stand there."""

import hashlib
import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from playwright._impl._driver import compute_driver_executable

from console.crypto import signing
from devices.models import Batch, Receipt
from devices.rules import merkle
from devices.rules.merkle import Tree
from devices.services import batch_files, mac_pools, receipt_chain
from devices.services.mac_pools import NewPool
from tests import cast
from tests.cast import OPERATOR
from tests.devices.production_line import LATER, made, packed, read, undo
from tests.devices.receipts import SOON, issued, keys
from tests.house.source import ROOT

pytestmark = pytest.mark.django_db
NO_DATABASE = "postgres://nobody@127.0.0.1:1/none"
DOCUMENT = (ROOT / "docs" / "receipts.md").read_text()


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def verify(folder: Path, *arguments: str) -> Done:
    """The command in this process: file names are those of the folder."""
    out, err = StringIO(), StringIO()
    placed = [str(folder / word) if not word.startswith("--") else word for word in arguments]
    try:
        call_command("verify_receipt", *placed, stdout=out, stderr=err)
    except CommandError as error:
        return Done(1, out.getvalue(), f"{err.getvalue()}{error}")
    return Done(0, out.getvalue(), err.getvalue())


def verify_apart(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, in the folder, with a database that does not answer."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NAMEPLATE_", "DATABASE_URL", "DJANGO_", "REDIS_"))}
    env = kept | {"DATABASE_URL": NO_DATABASE, "NAMEPLATE_DATA_DIR": str(folder / "data")}
    command = [sys.executable, str(ROOT / "manage.py"), "verify_receipt", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=150, check=False)


def lay(folder: Path, batch: Batch, receipt: Receipt, *forms: str) -> None:
    """The receipt, its files and the keys as a factory has them."""
    (folder / "batch.receipt").write_bytes(receipt.file)
    for form in forms:
        name = {"csv": "codes.csv", "xlsx": "codes.xlsx", "aligenie": "chips.xlsx", "data": "data.xlsx"}[form]
        (folder / name).write_bytes(read(batch_files.download(batch, form, by=OPERATOR, at=LATER)))
    (folder / "key.pem").write_text("".join(signing.pem(key.public) for key in keys().values()))


@pytest.fixture
def kettles(tmp_path: Path) -> Path:
    """A folder with a batch of kettles: CSV, Excel, the AliGenie file and batch data, and the receipt that lists them."""
    pool = mac_pools.create(NewPool(name="Ours", kind="MA-L", prefix="A4DA32", stride=2), by=OPERATOR, at=LATER)
    batch = made(cast.kettle(), mac_pool_id=pool.pk)
    for form in ("csv", "xlsx", "aligenie", "data"):
        packed(batch, form)
    lay(tmp_path, batch, issued(batch), "csv", "xlsx", "aligenie", "data")
    return tmp_path


def test_every_file_of_a_batch_is_proven_without_a_database(kettles: Path) -> None:
    done = verify_apart(kettles, "batch.receipt", "codes.csv", "codes.xlsx", "chips.xlsx", "data.xlsx", "--key", "key.pem")
    assert done.returncode == 0, done.stderr
    assert "signed with the key" in done.stdout
    assert done.stdout.count("has all 20 devices of the batch in their order") == 4
    assert [form for form in ("csv", "xlsx", "aligenie", "data") if f"is the file {form} of the batch" in done.stdout] == [
        "csv", "xlsx", "aligenie", "data",
    ]  # fmt: skip
    assert done.stdout.endswith("Everything fits.\n")


def line_changed(file: bytes) -> bytes:
    return file.replace(b"A4DA32000002", b"A4DA32FFFFFF")


def lines_swapped(file: bytes) -> bytes:
    lines = file.split(b"\r\n")
    return b"\r\n".join([lines[0], lines[2], lines[1], *lines[3:]])


CHANGES = {
    "a cell was altered": line_changed,
    "their order was changed": lines_swapped,
    "19 devices, and the batch 20": lambda file: b"\r\n".join(file.split(b"\r\n")[:-2]) + b"\r\n",
    "21 devices, and the batch 20": lambda file: file + file.split(b"\r\n")[1] + b"\r\n",
    "saved again or converted": lambda file: file.replace(b"\r\n", b"\n"),
    "lacks columns": lambda file: file.replace(b"DeviceSecret", b"Secret"),
    "The file is empty": lambda file: b"",
}


@pytest.mark.parametrize("reason", list(CHANGES))
def test_a_changed_file_is_refused_with_what_differs(kettles: Path, reason: str) -> None:
    file = kettles / "codes.csv"
    file.write_bytes(CHANGES[reason](file.read_bytes()))
    done = verify(kettles, "batch.receipt", "codes.csv", "codes.xlsx", "--key", "key.pem")
    assert done.returncode == 1
    assert "codes.csv: REFUSED: " in done.stderr and reason in done.stderr
    assert "codes.xlsx: has all 20 devices" in done.stdout


def test_the_process_ends_with_one_where_a_file_is_refused(kettles: Path) -> None:
    file = kettles / "codes.csv"
    file.write_bytes(line_changed(file.read_bytes()))
    done = verify_apart(kettles, "batch.receipt", "codes.csv", "--key", "key.pem")
    assert (done.returncode, "codes.csv: REFUSED: As many devices" in done.stderr) == (1, True)


def test_a_workbook_saved_again_is_told_from_an_altered_one(kettles: Path) -> None:
    book = openpyxl.load_workbook(kettles / "codes.xlsx")
    book.save(kettles / "codes.xlsx")
    again = verify(kettles, "batch.receipt", "codes.xlsx", "--key", "key.pem")
    book.active["C3"] = "x" * 32  # type: ignore[index]
    book.save(kettles / "codes.xlsx")
    altered = verify(kettles, "batch.receipt", "codes.xlsx", "--key", "key.pem")
    assert (again.returncode, altered.returncode) == (1, 1)
    assert "saved again or converted" in again.stderr
    assert "a cell was altered" in altered.stderr


@pytest.mark.parametrize(("change", "reason"), [
    (lambda text: text.replace('"made":20', '"made":21'), "The signature does not fit"),
    (lambda text: text.replace("\n", "\r\n"), "The line ends of the file were changed"),
    (lambda text: "{}\n", "A receipt has two lines"),
    (lambda text: text.replace('"count":20', '"count":"20"'), "The field devices.count is missing, or not of its type"),
])  # fmt: skip
def test_a_changed_receipt_is_refused_before_any_file(kettles: Path, change: object, reason: str) -> None:
    file = kettles / "batch.receipt"
    file.write_bytes(change(file.read_text()).encode())  # type: ignore[operator]
    done = verify(kettles, "batch.receipt", "codes.csv", "--key", "key.pem")
    assert (done.returncode, "codes.csv" in done.stdout) == (1, False)
    assert f"batch.receipt: REFUSED: {reason}" in done.stderr


def test_it_refuses_another_key_and_says_which_input_is_bad(kettles: Path) -> None:
    (kettles / "other.pem").write_text(signing.pem(signing.public_of(bytes(32))))
    (kettles / "bad.pem").write_text("no key")
    for arguments, words in (
        (("batch.receipt", "--key", "other.pem"), "which is not among the given ones"),
        (("batch.receipt", "--key", "bad.pem"), "bad.pem: This is not the public half"),
        (("batch.receipt", "--key", "gone.pem"), "gone.pem cannot be read"),
        (("gone.receipt", "--key", "key.pem"), "gone.receipt cannot be read"),
        (("batch.receipt", "gone.csv", "--key", "key.pem"), "gone.csv cannot be read"),
    ):
        done = verify(kettles, *arguments)
        assert (done.returncode, words in done.stderr) == (1, True), done.stderr


def test_the_place_in_the_chain_is_proven_by_the_receipt_before_it(tmp_path: Path) -> None:
    batch = made()
    receipts = [issued(batch), issued(packed(batch, "csv")), issued(packed(batch, "xlsx"))]
    for receipt in receipts:
        (tmp_path / f"{receipt}.receipt").write_bytes(receipt.file)
    lay(tmp_path, batch, receipts[0])
    right = verify(tmp_path, "R000003.receipt", "--previous", "R000002.receipt", "--key", "key.pem")
    assert (right.returncode, "follows directly on receipt 2" in right.stdout) == (0, True), right.stderr
    wrong = verify(tmp_path, "R000003.receipt", "--previous", "R000001.receipt", "--key", "key.pem")
    assert (wrong.returncode, "not next to each other" in wrong.stderr) == (1, True)


def test_a_folder_of_receipts_is_one_chain_also_over_a_new_key(tmp_path: Path) -> None:
    batch = made()
    receipts = [issued(batch)]
    receipt_chain.rotate(reason="yearly", by=OPERATOR, at=SOON)
    receipts += [issued(packed(batch, "csv")), issued(packed(batch, "xlsx"))]
    folder = tmp_path / "chain"
    folder.mkdir()
    for receipt in receipts:
        (folder / f"{receipt}.receipt").write_bytes(receipt.file)
    lay(tmp_path, batch, receipts[0])
    whole = verify(tmp_path, "chain", "--key", "key.pem")
    assert (whole.returncode, "3 receipts, 1 to 3, an unbroken chain" in whole.stdout) == (0, True), whole.stderr
    (folder / "R000002.receipt").unlink()
    gap = verify(tmp_path, "chain", "--key", "key.pem")
    assert (gap.returncode, "Receipt 2 is missing" in gap.stderr) == (1, True)
    assert verify(tmp_path, "chain", "--key", "key.pem", "--allow-gaps").returncode == 0
    (folder / "R000003.receipt").write_bytes(receipts[2].file.replace(batch.number.encode(), b"B999999"))
    forged = verify(tmp_path, "chain", "--key", "key.pem", "--allow-gaps")
    assert (forged.returncode, "R000003.receipt: REFUSED: The signature" in forged.stderr) == (1, True)


def test_files_of_an_undone_batch_are_refused(tmp_path: Path) -> None:
    batch = made()
    undo(batch)
    lay(tmp_path, batch, issued(batch))
    (tmp_path / "codes.csv").write_text("ProductKey,DeviceName,DeviceSecret\r\n")
    done = verify(tmp_path, "batch.receipt", "codes.csv", "--key", "key.pem")
    assert (done.returncode, "the batch was undone" in done.stdout, "The batch was undone" in done.stderr) == (1, True, True)


# -- The document -----------------------------------------------------------------------------------------------------------


def lines_of(mark: str) -> str:
    found = re.search(rf"```\w+\n((?:#|//) {re.escape(mark)}.*?)```", DOCUMENT, re.DOTALL)
    assert found, mark
    return found[1]


def run(folder: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=150, check=False)


def openssl(folder: Path) -> subprocess.CompletedProcess[str]:
    return run(folder, ["sh", "-euc", lines_of("check.sh")])


def python(folder: Path) -> subprocess.CompletedProcess[str]:
    return run(folder, [sys.executable, "-c", lines_of("check.py")])


def node(folder: Path) -> subprocess.CompletedProcess[str]:
    """The one that drives Chromium in these tests, so that it is never missing."""
    program, _driver = compute_driver_executable()
    return run(folder, [str(program), "-e", lines_of("check.js")])


def test_the_documents_tree_is_that_of_the_register() -> None:
    names: dict[str, Any] = {"hashlib": hashlib}
    exec(re.findall(r"def tree.*?hex\(\)\n", lines_of("check.py"), re.DOTALL)[0], names)
    for count in range(1, 70):
        tree = Tree()
        tree.add(b"%d" % number for number in range(count))
        assert names["tree"](merkle.leaf_hashes(b"%d" % number for number in range(count))) == tree.root()


each_program = pytest.mark.parametrize("program", [openssl, python, node])


@each_program
def test_the_lines_of_the_document_prove_a_receipt_and_its_file(kettles: Path, program: object) -> None:
    done = program(kettles)  # type: ignore[operator]
    assert done.returncode == 0, done.stderr + done.stdout


@each_program
@pytest.mark.parametrize("name", ["batch.receipt", "codes.csv"])
def test_the_lines_of_the_document_refuse_what_was_changed(kettles: Path, program: object, name: str) -> None:
    file = kettles / name
    file.write_bytes(file.read_bytes().replace(b"1ExpAkj9Hi", b"1ExpAkj9Hj", 1))
    assert program(kettles).returncode != 0  # type: ignore[operator]
