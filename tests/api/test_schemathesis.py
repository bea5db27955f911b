"""Every operation is called with what its description allows and with what it forbids; no answer may be otherwise than described."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core import signals
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi import checks

from console.wsgi import application
from tests.api.callers import make_key
from tests.house import walking

REFUSALS = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429"]
"""What forbidden input may be answered with. 413 as well: a text that is too long may make a body that is."""
config = schemathesis.Config.from_dict({"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}})
schema = schemathesis.openapi.from_wsgi("/api/schema/?format=json", application, config=config).include(path_regex="^/api/v1/")

EXAMPLES = 3
"""Of each operation, beside those that cover its description systematically."""

CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
    checks.ignored_auth,
    checks.missing_required_header,
    checks.unsupported_method,
    checks.allow_header_conformance,
]
"""Not `positive_data_acceptance`: services refuse what the form of a request cannot tell, such as a product that does not exist."""


@pytest.fixture
def one_connection(db: None) -> Iterator[None]:
    """The application runs in this process and on the test's own connection, as with Django's client."""
    ends = (signals.request_started, signals.request_finished)
    for end in ends:
        end.disconnect(close_old_connections)
    yield
    for end in ends:
        end.connect(close_old_connections)


@pytest.fixture
def key(one_connection: None) -> str:
    """Of every action; and there is something to find at most addresses: whatever has a number has the first one."""
    walking.build()
    return make_key()[0]


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_answer_is_otherwise_than_described(case: Any, key: str) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {key}"}, checks=CHECKS)
