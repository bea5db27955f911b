"""The content security policy: strict everywhere, with what the admin's skin needs on its own pages."""

import re

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def policy(client: Client, path: str) -> dict[str, str]:
    header = client.get(path)["Content-Security-Policy"]
    return dict(part.strip().split(" ", 1) for part in header.split(";"))


def test_the_console_may_evaluate_its_attributes_and_nothing_else(client: Client) -> None:
    found = policy(client, "/login/")
    assert found["script-src"] == "'self' 'unsafe-eval'"
    assert found["default-src"] == found["frame-ancestors"] == found["base-uri"] == "'none'"


def test_the_api_s_pages_are_strict(client: Client) -> None:
    found = policy(client, "/api/docs/")
    assert found["script-src"] == found["style-src"] == "'self'"


@pytest.mark.parametrize("path", ["/login/", "/api/docs/", "/nowhere/"])
def test_no_policy_admits_another_host(client: Client, path: str) -> None:
    sources = {word for words in policy(client, path).values() for word in words.split()}
    assert sources <= {"'self'", "'none'", "'unsafe-eval'", "'unsafe-inline'", "data:"}


def test_the_console_s_pages_are_strict_but_for_the_two_words_that_the_threat_model_names(admin_client: Client) -> None:
    for path in ("/", "/devices/preimporteddevice/", "/account/"):
        loose = {name: words for name, words in policy(admin_client, path).items() if "unsafe" in words}
        assert loose == {"script-src": "'self' 'unsafe-eval'", "style-src": "'self' 'unsafe-inline'"}


@pytest.mark.parametrize("path", ["/login/", "/api/docs/", "/", "/devices/preimporteddevice/", "/devices/preimporteddevice/add/", "/jobs/"])
def test_no_page_has_a_script_in_it(admin_client: Client, client: Client, path: str) -> None:
    text = (client if path == "/login/" else admin_client).get(path).content.decode()
    assert not re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", text)
    assert not re.findall(r"\son[a-z]+=", text)
