"""The first upload handler: a file that nobody would read is not even stored for a moment."""

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, StopUpload

from console.shared.files.refusal import MIB, SIZE_AT_MOST


class UploadLimit(FileUploadHandler):
    """Cuts the connection of a request that goes on beyond the largest file that is read; pages say so before anything is sent."""

    chunk_size = 64 * 1024
    _received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self._received += len(raw_data)
        if self._received > SIZE_AT_MOST + MIB:
            raise StopUpload(connection_reset=True)
        return raw_data

    def file_complete(self, file_size: int) -> Any:
        """The next handler makes the file."""
        return None
