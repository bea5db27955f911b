"""Takes the pictures of the documents anew: `make screenshots`. A console of its own with demo data, light and dark, desk and phone.

Fails where a page is wider than its window, says an error to the browser, or asks another host for anything. Needs Chromium (Debian's
package). Looks at every page in every window, and keeps the pictures that documents show: docs/images/<page>[-zh]-<light|dark>-<width>.png.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pages
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
    faults: list[str] = []
    with tempfile.TemporaryDirectory(prefix="nameplate-pictures-") as name, console(Path(name)) as signs, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        paths: dict[str, str] = {}
        for window in WINDOWS:
            camera = Camera(browser, window, *signs)
            paths = paths or pages.find(camera.page, camera.url)
            faults += camera.take_all(pages.PAGES if window.language == "en" else pages.CHINESE, paths)
        browser.close()
    shown = shown_pictures()
    for picture_file in IMAGES.glob("*.png"):
        if picture_file.name not in shown:
            picture_file.unlink()
    print(f"{len(shown)} pictures, {sum((IMAGES / name).stat().st_size for name in shown) / 1e6:.1f} MB")
    print(*faults, sep="\n")
    return 1 if faults else 0


def shown_pictures() -> frozenset[str]:
    """Names of the files that some document shows."""
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    return frozenset(name for document in documents for name in re.findall(r"images/([\w-]+\.png)", document.read_text()))


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


# -- Taking them ------------------------------------------------------------------------------------------------------------------------

TALL = 1600


class Window(NamedTuple):
    scheme: str
    width: int
    language: str = "en"


WINDOWS = (Window("light", 1280), Window("dark", 1280), Window("light", 390), Window("dark", 390), Window("light", 1280, "zh-CN"))


class Camera:
    """A signed-in person's browser; what looks broken in it goes to `faults`."""

    def __init__(self, browser: Browser, window: Window, url: str, password: str) -> None:
        self.url, self.scheme, self.width, self.language = url, *window
        self.name, self.shown = "sign-in", shown_pictures()
        self.faults: list[str] = []
        how = {"viewport": {"width": self.width, "height": WIDTHS[self.width]}, "color_scheme": self.scheme, "locale": self.language}
        self.page = browser.new_context(**how, reduced_motion="reduce").new_page()
        self.page.on("console", lambda message: self.fault(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.fault(str(error)))
        self.page.on("request", lambda request: None if request.url.startswith((url, "data:")) else self.fault(request.url))
        sign_in(self.page, url, password)

    def fault(self, words: str) -> None:
        self.faults.append(f"{self.name}, {self.scheme}, {self.width} pixels: {words}")

    def take(self, name: str, path: str) -> None:
        """Every page is looked at in every window; a picture is kept if a document shows it."""
        self.name, page = name, self.page
        page.set_viewport_size({"width": self.width, "height": WIDTHS[self.width]})
        answer = page.goto(self.url + path)
        if answer is None or answer.status != 200:
            self.fault(f"status {answer and answer.status}")
        pages.prepare(page, name)
        page.evaluate("document.fonts.ready")
        page.wait_for_timeout(100)
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            self.fault("wider than its window")
        file = f"{name}{'' if self.language == 'en' else '-zh'}-{self.scheme}-{self.width}.png"
        if file in self.shown:
            tall = self.width < 600 or name in pages.LONG
            picture(page, IMAGES / file, at_most=TALL if tall else WIDTHS[self.width])

    def take_all(self, names: Iterable[str], paths: dict[str, str]) -> list[str]:
        pages.center(self.page, self.url)
        for name in names:
            if name not in pages.PUBLIC:
                self.take(name, paths[name])
        self.page.context.clear_cookies()
        for name in names:
            if name in pages.PUBLIC:
                self.take(name, paths[name])
        self.page.context.close()
        return self.faults


def sign_in(page: Page, url: str, password: str) -> None:
    page.goto(url)
    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/")


def picture(page: Page, file: Path, *, at_most: int) -> None:
    """The page from its top, up to so many pixels; with a palette, which is a quarter of the bytes and looks the same."""
    width, shown, whole = page.evaluate("[innerWidth, innerHeight, document.documentElement.scrollHeight]")
    page.set_viewport_size({"width": width, "height": min(max(shown, whole), at_most)})
    page.screenshot(path=file, animations="disabled", caret="hide")
    with Image.open(file) as taken:
        taken.convert("RGB").quantize(160, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(file, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
