"""Takes the pictures of the documents anew: `make screenshots`. A console of its own with demo data, light and dark, desk and phone.

Needs Chromium (Debian's package). Writes docs/images/<page>-<light|dark>-<width>.png.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from openpyxl import Workbook
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
WIDTHS = {1280: 900, 390: 844}
FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--font-render-hinting=none",
]


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="nameplate-pictures-") as name:
        folder = Path(name)
        with console(folder) as (url, password), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            addresses = prepare(browser, url, password, folder)
            for scheme in ("light", "dark"):
                for width in WIDTHS:
                    take_all(signed_in(browser, url, password, scheme, width), url, addresses, scheme)
            browser.close()
    pictures = sorted(IMAGES.glob("*.png"))
    print(f"{len(pictures)} pictures, {sum(file.stat().st_size for file in pictures) / 1e6:.1f} MB")
    return 0


# -- A console to look at --------------------------------------------------------------------------------------------------------------


@contextmanager
def console(folder: Path) -> Iterator[tuple[str, str]]:
    """Its address and the administrator's password."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{probe.getsockname()[1]}"
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("NAMEPLATE_", "DATABASE_URL", "REDIS_URL", "DJANGO_"))
    }
    env = kept | {
        "NAMEPLATE_DATA_DIR": str(folder / "var"),
        "NAMEPLATE_BIND": bind,
        "NAMEPLATE_LOG_LEVEL": "WARNING",
        "PYTHONUNBUFFERED": "1",
    }
    told = manage("setup", env)
    password = told.partition("Password:")[2].split()[0]
    manage("demo", env)
    log = (folder / "log").open("w+")
    serving = subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for(lambda: "Ctrl-C ends it." in (folder / "log").read_text(), serving)
        yield f"http://{bind}", password
    finally:
        serving.send_signal(signal.SIGINT)
        serving.wait(30)


def manage(command: str, env: dict[str, str]) -> str:
    return subprocess.run([sys.executable, "manage.py", command], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout


def wait_for(ready: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 60
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            sys.exit("The console did not start.")
        time.sleep(0.2)


# -- What is on the pictures ------------------------------------------------------------------------------------------------------------


def prepare(browser: Browser, url: str, password: str, folder: Path) -> dict[str, str]:
    """Uploads a workbook with mistakes; returns the path of each page by its name."""
    page = signed_in(browser, url, password, "light", 1280)
    paths = {"home": "/", "products": "/products/product/", "pre-import": "/devices/preimporteddevice/", "devices": "/devices/device/"}
    paths |= {"production-center": "/devices/batch/center/", "records": "/devices/batch/", "log": "/registration/devicelogentry/"}
    paths["product"] = path_of(page, url, paths["products"], "Kettle K2")
    paths["record"] = path_of(page, url, paths["records"], "Kettle K2")
    paths["upload"] = upload(page, url, folder)
    page.goto(url + paths["devices"])
    page.get_by_label("Data center").select_option(label="Shanghai")
    page.wait_for_load_state("networkidle")
    paths["device"] = path_of(page, url, paths["devices"] + "?state=offline", "Offline")
    paths["clone"] = path_of(page, url, paths["devices"] + "?client_ids=several", "ClientIDs")
    paths["switched"] = path_of(page, url, paths["devices"] + "?client_ids=switched", "Kettle K2")
    paths["switch"] = paths["clone"].replace("/change/", "/switch/")
    paths["clear"] = paths["clone"].replace("/change/", "/clear/")
    paths["compromised"] = path_of_link(page, url, paths["product"], "View")
    paths["log-entry"] = path_of(page, url, paths["log"] + "?code__exact=bad_signature&center=cn-shanghai", "Bad signature")
    paths["batch"] = paths["production-center"]
    page.goto(url + paths["production-center"])
    paths["batch"] = str(page.get_by_role("link", name="Batch production").first.get_attribute("href"))
    page.context.close()
    return paths


def path_of(page: Page, url: str, changelist: str, words: str) -> str:
    page.goto(url + changelist)
    link = page.locator("#result_list tbody tr", has_text=words).first.get_by_role("link").first
    return str(link.get_attribute("href")).partition("?")[0]


def path_of_link(page: Page, url: str, path: str, words: str) -> str:
    page.goto(url + path)
    return str(page.get_by_role("link", name=words, exact=True).first.get_attribute("href"))


def upload(page: Page, url: str, folder: Path) -> str:
    """A workbook as it comes from a factory: two hundred good rows and the usual mistakes."""
    rows = [[f"F0:FE:6B:20:{number // 256:02X}:{number % 256:02X}", f"Kettle {number}", f"KS{number:06d}"] for number in range(200)]
    rows[16][0], rows[43][0], rows[88][0] = "F0:FE:6B:20:00", "8.6E+14", "F1:FE:6B:20:00:58"
    rows[120][0], rows[151][2], rows[187][0] = rows[12][0].replace(":", "-"), rows[30][2], "F0:FE:6B:2O:00:BB"
    book = Workbook()
    for row in [["MAC", "Nickname", "SN"], *rows]:
        book.active.append(row)
    book.save(folder / "kettles-line-3.xlsx")
    page.goto(url + "/devices/preimporteddevice/import/")
    product = page.get_by_label("Product", exact=True)
    product.select_option(label=next(text for text in product.locator("option").all_inner_texts() if text.startswith("Kettle K2")))
    page.locator("input[type=file]").set_input_files(folder / "kettles-line-3.xlsx")
    page.get_by_role("button", name="Upload and check").click()
    page.get_by_text("Every bad cell").wait_for()
    return page.url.removeprefix(url)


# -- Taking them ------------------------------------------------------------------------------------------------------------------------

TALL = 1600
LONG = ("upload",)
PAGES = ("home", "product", "pre-import", "upload", "production-center", "batch", "record", "devices", "device", "log", "log-entry",
         "clone", "switched", "switch", "clear", "compromised")  # fmt: skip


def take_all(page: Page, url: str, paths: dict[str, str], scheme: str) -> None:
    width = page.evaluate("innerWidth")
    page.goto(url + paths["devices"])
    page.get_by_label("Data center").select_option(label="Shanghai")
    page.wait_for_load_state("networkidle")
    for name in PAGES:
        page.set_viewport_size({"width": width, "height": WIDTHS[width]})
        page.goto(url + paths[name])
        page.wait_for_load_state("networkidle")
        wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        if wide:
            print(f"{name} at {width} pixels is wider than its window")
        picture(page, IMAGES / f"{name}-{scheme}-{width}.png", at_most=TALL if width < 600 or name in LONG else WIDTHS[width])
    page.context.close()


def signed_in(browser: Browser, url: str, password: str, scheme: str, width: int) -> Page:
    window = {"viewport": {"width": width, "height": WIDTHS[width]}, "color_scheme": scheme, "locale": "en", "reduced_motion": "reduce"}
    context = browser.new_context(**window)
    page = context.new_page()
    page.goto(url)
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/")
    return page


def picture(page: Page, file: Path, *, at_most: int) -> None:
    """The page from its top, up to so many pixels; with a palette, which is a quarter of the bytes and looks the same."""
    width, shown, whole = page.evaluate("[innerWidth, innerHeight, document.documentElement.scrollHeight]")
    page.set_viewport_size({"width": width, "height": min(max(shown, whole), at_most)})
    page.screenshot(path=file, animations="disabled", caret="hide")
    with Image.open(file) as taken:
        taken.convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(file, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
