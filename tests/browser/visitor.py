"""A signed-in window that takes note of all that goes wrong in it: nothing scrolls sideways, nothing is loaded from another host, and no
script complains.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page

from tests import cast

WIDTHS = (1280, 390)
"""Of a desk and of a phone, px."""


@dataclass
class Visitor:
    """A signed-in window, and everything that went wrong in it."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", lambda message: self._complain("console", message.text) if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self._complain("script", str(error)))
        self.page.on(
            "request", lambda request: None if request.url.startswith((self.base, "data:")) else self._complain("foreign", request.url)
        )

    def _complain(self, kind: str, what: str) -> None:
        self.complaints.append(f"{self.page.url}: {kind}: {what}")

    def visit(self, path: str) -> None:
        answer = self.page.goto(self.base + path)
        self.page.wait_for_function("document.documentElement.matches(':not([x-cloak])')")  # The skin has dressed the page.
        assert answer is not None and answer.status == 200, path
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            self._complain("scrolls sideways", f"{wide} px")

    def sign_in(self) -> None:
        self.visit("/login/")
        self.page.fill("#id_username", "admin")
        self.page.fill("#id_password", cast.PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.wait_for_url(self.base + "/")


@contextmanager
def signed_in(browser: Browser, url: str, *, width: int = WIDTHS[0], **facts: Any) -> Iterator[Visitor]:
    """`facts`: of the browser's context."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **facts)
    found = Visitor(context.new_page(), url)
    found.watch()
    found.sign_in()
    yield found
    context.close()
