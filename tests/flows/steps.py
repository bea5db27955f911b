"""What an operator does at the console, a step each: clicks, and what they read afterwards."""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.flows import workbooks
from tests.flows.operator import Operator
from tests.processes import Process, Server

ALIBABA_HOST = "iot-auth.cn-shanghai.aliyuncs.com"
MACS = workbooks.mac_addresses(1000)
FIRMWARE_KEY, FIRMWARE_SECRET = "a1ExpAkj9Hi", "h1nQFYPZS0mW1234"


@dataclass(frozen=True)
class Stage:
    """Where the story is played: the console's server, the devices' server over TLS and its CA, and a folder for files."""

    console: Server
    doors: Server
    ca: Path
    folder: Path
    start_worker: Callable[..., Process]


def add_a_data_center(operator: Operator) -> None:
    operator.go_to("Data centers")
    operator.sees("Frankfurt")
    operator.create("data center")
    operator.fill(Name="Shanghai", Code="cn-shanghai", Host_names=ALIBABA_HOST)
    operator.press("Add")
    operator.sees("The data center was added.", ALIBABA_HOST)


def make_a_product(operator: Operator, name: str, wire: str, names: str, **given: str) -> None:
    operator.go_to("Products")
    operator.create("product")
    operator.fill(Name=name, Wire_protocol=wire, DeviceNames_are=names, **given)
    operator.press("Create the product")
    operator.sees("The product was created.", name, "In development")


def publish_and_grant(operator: Operator, codes: int) -> None:
    operator.press("Publish")
    operator.sees("Publish this product?", "Only published products can.")
    operator.press("Publish")
    operator.sees("The product is published.")
    operator.press("Grant codes")
    operator.fill(Activation_codes=str(codes), Note="PO 4711")
    operator.press("Grant")
    operator.sees("The activation codes were granted.", f"{codes:,} activation codes left.")


def turn_on_registration(operator: Operator, server: Server) -> None:
    """With the one-time code that the server's log tells; a wrong one is refused and counted."""
    operator.press("Turn on")
    operator.sees("there is the risk that these are disclosed")
    operator.press("Send the code")
    operator.sees("Enter the verification code", "The code stands in the server's log.")
    code = re.findall(r"Verification code for admin \([^)]*\): (\d{6})", server.process.output())[-1]
    operator.fill(Verification_code="000000" if code != "000000" else "111111")
    operator.press("Turn on dynamic registration")
    operator.sees("The verification code is wrong. Tries left: 2.")
    operator.fill(Verification_code=code)
    operator.press("Turn on dynamic registration")
    operator.sees("Dynamic registration is on.")


def produce_from_excel(operator: Operator, stage: Stage) -> None:
    """The worker comes when the batch is on the page already: what moves, moves by itself."""
    rows = [["MAC"], *([workbooks.spelled(mac, number)] for number, mac in enumerate(MACS))]
    file = workbooks.write(stage.folder / "kettles.xlsx", rows)
    operator.go_to("Production center")
    operator.follow("Batch production Kettle")
    operator.choose("Per-product secret")
    operator.press("Continue")
    operator.fill(Workbook=str(file), Note="First run")
    operator.press("Continue")
    operator.sees("Every row is good.", "kettles.xlsx", "1,000")
    operator.follow("Continue")
    operator.sees("Make 1,000 devices of Kettle?", "1,200", "200")
    operator.press("Start production")
    operator.sees("Queued")
    stage.start_worker()
    operator.sees("Done", "1,000", seconds=60)


def compare_the_activation_codes(operator: Operator, stage: Stage) -> None:
    operator.go_to("Production records")
    operator.sees("Kettle", "Per-product secret", "1,000 / 1,000")
    operator.open_row("Kettle")
    operator.sees("Devices made", "First run", "kettles.xlsx")
    wanted = [("ProductKey", "ProductSecret", "DeviceName"), *((FIRMWARE_KEY, FIRMWARE_SECRET, mac) for mac in MACS)]
    excel = operator.download("Download", stage.folder, beside="Excel")
    assert workbooks.read(excel) == wanted
    text = operator.download("Download", stage.folder, beside="CSV")
    with text.open(newline="", encoding="utf-8") as lines:
        assert [tuple(row) for row in csv.reader(lines)] == wanted


def read_the_certificate(operator: Operator) -> tuple[str, str]:
    """ProductKey and ProductSecret, as the page shows them: the secret once, behind a button."""
    operator.press("Show")
    operator.sees("Whoever has the ProductKey and the ProductSecret can register devices")
    operator.press("Show the secret")
    operator.sees("Shown this once.")
    return operator.page.locator("dt:text-is('ProductKey') + dd .np-mono").inner_text(), operator.page.locator(".np-secret").inner_text()


def correct_a_workbook_until_it_is_taken(operator: Operator, stage: Stage, key: str) -> None:
    titles = ["ProductKey", "DeviceName", "Nickname", "SN"]
    good = [[key, f"crate-{number}", f"Crate {number}", f"TR{number:05d}"] for number in range(1, 6)]
    bad = [[key, "crate 6", "", ""], [key, "crate-1", "", ""], ["L0000WRONG", "crate-7", "", ""], [key, "crate-8", "", "TR00002"]]
    upload(operator, workbooks.write(stage.folder / "trackers.xlsx", [titles, *good, *bad]))
    operator.sees("Upload a corrected workbook", "Every bad cell")
    for row, value in ((7, "crate 6"), (8, "crate-1"), (9, "L0000WRONG"), (10, "TR00002")):
        assert any(f"{row} " in line and value in line for line in operator.rows()), (row, value, operator.rows())
    upload(operator, workbooks.write(stage.folder / "trackers-2.xlsx", [titles, *good]))
    operator.sees("All 5 rows are good", "Nothing is in the pre-import list yet")
    operator.press("Import 5 rows")
    operator.sees("A DeviceSecret is issued for every row that brings none.")
    operator.press("Import")
    operator.sees("5 rows were imported", seconds=30)
    operator.follow("See them")
    operator.sees("crate-1", "Crate 5", "TR00003")


def upload(operator: Operator, file: Path) -> None:
    operator.go_to("Pre-import list")
    operator.follow("Import")
    product = operator.page.get_by_label("Product", exact=True)
    product.select_option(label=operator.option_of(product, "Tracker"))
    operator.page.locator("input[type=file]").set_input_files(file)
    operator.press("Upload and check")


def find_the_device(operator: Operator, name: str, *, at: str, not_at: str = "", secret: str) -> None:
    operator.go_to("Devices")
    if not_at:
        operator.choose_data_center(not_at)
        operator.sees_not(name)
    operator.choose_data_center(at)
    operator.sees(name, "Inactive")
    operator.follow(name)
    operator.sees("It was handed its DeviceSecret and has not connected with it yet.", at)
    operator.sees_not(secret)
    operator.press("Show")
    operator.press("Show the secret")
    operator.sees(secret, "The audit log has a line about it.")


def find_no_device(operator: Operator, *names: str) -> None:
    operator.go_to("Devices")
    operator.sees("Tracker")
    operator.sees_not(*names)


def read_the_log(operator: Operator, name: str, decision: str, *path: str, at: str = "") -> None:
    """The newest entry about a DeviceName: its decision, and the path that led to it in sentences."""
    operator.go_to("Device log")
    if at:
        operator.choose_data_center(at)
    operator.search(name)
    operator.sees(decision)
    operator.open_row(name)
    operator.sees("Path of the decision", decision, *path)
