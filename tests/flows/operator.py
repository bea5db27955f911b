"""An operator at the console: what they click, type and read. What a page does behind their back and should not is kept as a complaint."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Download, Locator, Page, Request, Response, expect

QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-default-apps")
"""Chromium's own calls home, off, so that what is left is the page's."""


class Operator:
    """`url`: the console's address. `complaints`: script errors, failed requests and calls to other hosts, in their order."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        page.on("console", self._heard)
        page.on("request", self._asked)
        page.on("response", self._answered)
        page.on("requestfailed", self._failed)

    # -- Going about ----------------------------------------------------------------------------------------------------

    def open(self, path: str = "/") -> None:
        self.page.goto(self.url + path)

    def sign_in(self, name: str, password: str) -> None:
        self.open()
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.sees("Products")

    def go_to(self, place: str) -> None:
        """By the sidebar."""
        self.page.get_by_role("navigation").or_(self.page.locator("#nav-sidebar")).get_by_role("link", name=place).first.click()

    def follow(self, words: str) -> None:
        """A link; the name of an icon may stand before its words."""
        self.page.get_by_role("link", name=re.compile(rf"(^|\s){re.escape(words)}$")).first.click()

    def search(self, words: str) -> None:
        field = self.page.locator("#searchbar")
        field.fill(words)
        field.press("Enter")

    def open_row(self, words: str) -> None:
        """The first row of the list that holds the text, by its link."""
        self.page.locator("#result_list tbody tr", has_text=words).first.get_by_role("link").first.click()

    # -- Doing ----------------------------------------------------------------------------------------------------

    def fill(self, **fields: str) -> None:
        """Fields of the open dialog, or of the page; the underscores of a label are blanks."""
        place = self.place()
        for label, value in fields.items():
            field = place.get_by_label(re.compile(f"^{label.replace('_', ' ')}"))
            tag = field.evaluate("field => field.type")
            if tag == "checkbox":
                field.set_checked(bool(value))
            elif tag == "file":
                field.set_input_files(value)
            elif tag.startswith("select"):
                field.select_option(label=value)
            else:
                field.fill(value)

    def press(self, words: str) -> None:
        """A button of the open dialog, or of the page. A dialog that is on its way is waited for."""
        self.place().get_by_role("button", name=words, exact=True).first.click()

    def choose(self, words: str) -> None:
        """A radio button."""
        self.place().get_by_role("radio", name=re.compile(f"^{words}")).check()

    def create(self, what: str) -> None:
        """The button above a list, or the one in the list's emptiness."""
        self.page.get_by_role("link", name=re.compile(f"(Add|Create a) {what}", re.IGNORECASE)).first.click()

    def choose_data_center(self, name: str) -> None:
        select = self.page.get_by_label("Data center")
        select.wait_for()
        label = self.option_of(select, name)
        if select.locator("option:checked").inner_text() != label:
            with self.page.expect_navigation():
                select.select_option(label=label)

    def option_of(self, select: Locator, beginning: str) -> str:
        """The whole text of the option that begins so, waited for: the page may still be on its way."""
        option = select.locator("option", has_text=re.compile(rf"^\s*{re.escape(beginning)}")).first
        option.wait_for(state="attached")
        return option.inner_text()

    def download(self, words: str, folder: Path, *, beside: str = "") -> Path:
        """Clicks a link or button, the one in the line with the text `beside`, and returns the file that came."""
        place = self.page.locator(".np-switch, tr", has=self.page.get_by_text(beside, exact=True)).last if beside else self.place()
        with self.page.expect_download(timeout=60_000) as coming:
            place.get_by_role("link", name=words).or_(place.get_by_role("button", name=words)).first.click()
        arrived: Download = coming.value
        file = folder / arrived.suggested_filename
        arrived.save_as(file)
        return file

    # -- Seeing ----------------------------------------------------------------------------------------------------

    def sees(self, *words: str, seconds: float = 10) -> None:
        """Each of the texts is to be read on the page, without loading it again."""
        for text in words:
            expect(self.page.locator("body")).to_contain_text(text, timeout=seconds * 1000)

    def sees_not(self, *words: str) -> None:
        for text in words:
            expect(self.page.locator("body")).not_to_contain_text(text)

    def rows(self) -> list[str]:
        """The rows of the list, each as one text."""
        return [" ".join(row.inner_text().split()) for row in self.page.locator("#result_list tbody tr, .np-table tbody tr").all()]

    def place(self) -> Locator:
        dialog = self.page.locator("dialog[open]")
        return dialog.last if dialog.count() else self.page.locator("body")

    # -- Behind their back ----------------------------------------------------------------------------------------------------

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console {message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        if request.url.startswith(("data:", "blob:")):
            return
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.complaints.append(f"request to another host: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.request.method} {response.url}")

    def _failed(self, request: Request) -> None:
        # A page that is left, and a download, end their requests by themselves.
        if request.failure and "ERR_ABORTED" not in request.failure:
            self.complaints.append(f"{request.failure}: {request.url}")
