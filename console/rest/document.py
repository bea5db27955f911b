"""The head of the OpenAPI document, and its tags in the order of the work. Pure: the settings take it from here."""

from typing import Any

WORD = "[A-Za-z0-9_-]{1,64}"
NUMBER = "[1-9][0-9]{0,17}"
PLACES: dict[str, Any] = {
    "word": {"type": "string", "pattern": f"^{WORD}$"},
    "number": {"type": "integer", "minimum": 1, "maximum": 10**18 - 1},
}
"""The schema of each kind of path parameter (console/rest/places.py)."""

INTRODUCTION = """The console, for programs: what a person does on its pages is done here by the same services, with the same permissions,
limits and audit.

**Keys.** Make an API key in the console (Administration, API keys) and send it with each request: `Authorization: Bearer npk_...`.
A key does what it was made for, and no more than its owner may do at that moment; products that it does not see do not exist for it (404).

**Errors** are problem details (RFC 9457, `application/problem+json`). Decide by `status` and `code`; `detail` is a sentence for people;
`request_id` finds the request in the server's log.

**Lists** come newest first, `limit` rows at a time. `next` is the address of the rows that follow, null at the end. Rows that come
meanwhile move nothing.

**Idempotency.** What creates or acts takes an `Idempotency-Key` of your own making. The same key with the same request has one effect
and, for 24 hours, one answer; with another request it is refused (422), while the first one runs it is refused too (409).

**Rate.** A key makes as many requests in a clock minute as it was given; then 429 with `Retry-After`. `RateLimit-Limit`,
`RateLimit-Remaining` and `RateLimit-Reset` (seconds) stand in each answer.

Times are RFC 3339. Unknown members and parameters are refused, so that a mistyped filter never answers with everything.
"""

TAGS = (
    ("Products", "What may be made, its switches, and its activation codes."),
    ("Data centers", "Where devices call, and which databases hold their lists."),
    ("Certificates", "The CA certificates whose signature on a device's certificate counts (X.509)."),
    ("Pre-import", "The one list of devices that may come (Q1), by single rows, in bulk, and by workbooks."),
    ("Production", "Batches, their files, and download codes."),
    ("Serial numbers", "SNs made beforehand and bound to devices."),
    ("Devices", "The list of each data center: reset, disable, delete, and the physical devices behind a name."),
    ("Log", "What devices asked for and what was decided, and what would be decided now."),
    ("Work", "Long work, and the audit."),
    ("Device door", "What devices themselves call."),
)


SPECTACULAR: dict[str, Any] = {
    "TITLE": "Nameplate",
    "VERSION": "1",
    "DESCRIPTION": INTRODUCTION,
    "OAS_VERSION": "3.1.0",
    "TAGS": [{"name": name, "description": words} for name, words in TAGS],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "list", "filter": True, "displayRequestDuration": True},
    "SORT_OPERATIONS": False,
    "PATH_CONVERTER_OVERRIDES": PLACES,
    # Enumerations stand where they are used: no name has to be found for each.
    "POSTPROCESSING_HOOKS": [],
}
