"""A secret file as the answer to a request."""

from collections.abc import Iterable

from django.http import StreamingHttpResponse


def attachment(name: str, content_type: str, size: int, pieces: Iterable[bytes]) -> StreamingHttpResponse:
    """Kept by nobody on its way, opened by nobody as a page. `size` in bytes."""
    return StreamingHttpResponse(
        pieces,
        content_type=content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(size),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        },
    )
