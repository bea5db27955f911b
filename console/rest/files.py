"""Files as answers of the API."""

from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

BYTES = "application/octet-stream"


def sent(name: str, pieces: Iterable[bytes], *, media: str = BYTES, size: int | None = None, sha256: str = "") -> StreamingHttpResponse:
    """The first piece is opened before the answer begins, so that damage is an answer and not a broken one. `name` may be in any script;
    `size` in bytes, None where the file is made as it is sent."""
    opened = iter(pieces)
    first = next(opened, b"")

    def stream() -> Iterator[bytes]:
        yield first
        yield from opened

    headers = {"Content-Disposition": content_disposition_header(True, name) or "attachment", "X-Content-Type-Options": "nosniff"}
    if size is not None:
        headers["Content-Length"] = str(size)
    if sha256:
        headers["X-Content-SHA256"] = sha256
    return StreamingHttpResponse(stream(), content_type=media, headers=headers)
