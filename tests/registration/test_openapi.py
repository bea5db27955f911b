"""The API's description: complete, valid, and readable in a browser without any other host (D4)."""

from io import StringIO
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from playwright.sync_api import Page

from registration.protocols.native import PATH, PROBLEMS
from tests.processes import Server


def description() -> dict[str, Any]:
    out = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--urlconf", "console.urls", stdout=out)
    found: dict[str, Any] = yaml.safe_load(out.getvalue())
    return found


def test_it_describes_the_native_registration_with_every_status() -> None:
    paths = description()["paths"]
    assert [path for path, verbs in paths.items() for verb in verbs.values() if verb["tags"] == ["Device door"]] == [PATH]
    statuses = {status for status, _code, _title in PROBLEMS.values()} | {200, 500}
    assert {int(status) for status in paths[PATH]["post"]["responses"]} == statuses


def test_it_names_every_code_of_a_problem() -> None:
    responses = description()["paths"][PATH]["post"]["responses"]
    told = " ".join(response.get("description", "") for response in responses.values())
    assert {code for _status, code, _title in PROBLEMS.values()} <= set(told.replace(",", "").split())


@pytest.mark.browser
@pytest.mark.slow
def test_the_page_is_readable_offline_under_the_strict_policy(running_server: Server, page: Page) -> None:
    called: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: called.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{running_server.url}/api/docs/")
    page.get_by_text(PATH, exact=False).first.click()
    page.get_by_text("nameplate-register-v1").first.wait_for()
    assert {url for url in called if not url.startswith((running_server.url, "data:"))} == set()
    assert complaints == []
