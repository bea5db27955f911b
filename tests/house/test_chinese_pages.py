"""In Chinese no English sentence is left on a page: every list, every form, and the pages of one of each thing."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.contrib import admin
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import translation

from console.navigation import SECTIONS, link_to
from devices.services import admission
from products.services import lookup
from tests import cast
from tests.cast import NOON

ENGLISH = re.compile(r"[A-Za-z][a-z'’]+(?:[ ,]+[A-Za-z][a-z'’]*){2,}")
OF_PEOPLE = {"code", "pre", "kbd", "script", "style", "svg", "textarea"}
SPOKEN = ("placeholder", "title", "aria-label", "data-label", "alt")
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Texts(HTMLParser):
    """What of a page is read or heard, without what is data or code by its element, its class or its own language."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[tuple[str, bool]] = []

    @property
    def _is_data(self) -> bool:
        return any(data for _tag, data in self._open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        classes = facts.get("class", "").split()
        data = tag in OF_PEOPLE or "np-mono" in classes or facts.get("translate") == "no" or (tag != "html" and "lang" in facts)
        if not (data or self._is_data):
            self.found += [facts[name] for name in SPOKEN if name in facts]
        if tag not in VOID:
            self._open.append((tag, data))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            continue

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._is_data:
            self.found.append(data)


def english_on(page: str) -> list[str]:
    texts = Texts()
    texts.feed(page)
    return [hit.group() for text in texts.found if (hit := ENGLISH.search(" ".join(text.split())))]


@pytest.fixture(autouse=True)
def language_ends_with_the_test() -> Iterator[None]:
    """A request leaves its language in its thread, where the next request sets its own."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture
def chinese(db: None, client: Client) -> Client:
    """An administrator who reads Chinese, in a console with something in it."""
    cast.frankfurt()
    kettle = cast.kettle()
    cast.row(kettle, "A4C138000001")
    known = lookup.find_for_registration(kettle.key, at=NOON)
    admission.admit(data_center=cast.home(), product=known, device_name="A4C138000001", at=NOON)
    client.force_login(cast.administrator())
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    return client


def urls() -> Iterator[str]:
    """Every place of the sidebar, every list, every form that adds, and the page of the newest row of each kind."""
    yield from (link_to(place.url_name) for _title, places in SECTIONS for place in places)
    yield reverse("admin:account")
    for model, options in admin.site._registry.items():
        names = {pattern.name for pattern in options.get_urls() if pattern.name}
        kind = f"{model._meta.app_label}_{model._meta.model_name}"
        yield from (reverse(f"admin:{kind}_{what}") for what in ("changelist", "add") if f"{kind}_{what}" in names)
        newest = model._default_manager.order_by("-pk").first()
        if newest is not None and f"{kind}_change" in names:
            page_url = getattr(options, "page_url", None)
            yield page_url(newest) if page_url else reverse(f"admin:{kind}_change", args=[newest.pk])


def test_the_walk_sees_what_is_left_in_english() -> None:
    assert english_on('<p title="Three words here">中文</p>') == ["Three words here"]
    assert english_on("<p>Pre-import list, all of it</p>")
    assert not english_on('<p class="np-mono">a b c d</p><p>DeviceName 与 ClientID</p><button lang="en">One two three</button>')


def test_no_english_is_left_on_a_page(chinese: Client) -> None:
    found = {}
    for url in dict.fromkeys(urls()):
        answer = chinese.get(url)
        getattr(answer, "render", lambda: None)()
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            found[url] = english_on(answer.content.decode())
    assert len(found) > 20
    assert {url: texts for url, texts in found.items() if texts} == {}


@pytest.mark.parametrize("path", ["/login/", "/download/"])
def test_no_english_is_left_for_strangers(db: None, client: Client, path: str) -> None:
    page = client.get(path, headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}).content.decode()
    assert 'lang="zh-hans"' in page
    assert english_on(page) == []


@pytest.mark.parametrize("template", ["400.html", "403.html", "403_csrf.html", "404.html", "500.html"])
def test_no_english_is_left_on_pages_of_errors(template: str) -> None:
    with translation.override("zh-hans"):
        assert english_on(render_to_string(template)) == []


def test_a_browser_that_asks_for_neither_language_is_answered_in_english(db: None, client: Client) -> None:
    assert 'lang="en"' in client.get("/login/", headers={"Accept-Language": "fr"}).content.decode()


def test_an_error_of_a_service_is_told_in_chinese(chinese: Client) -> None:
    product = cast.lamp()
    answer = chinese.post(reverse("admin:products_product_grant_codes", args=[product.pk]), {"quantity": "0", "note": ""})
    assert "激活码" in answer.content.decode()
    assert not [text for text in english_on(answer.content.decode()) if "Grant" in text]
