"""Files that survive a power failure: on disk before the row that names them commits."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

from django.core.files.storage import FileSystemStorage
from django.utils.deconstruct import deconstructible


@deconstructible(path="apps.core.filestore.DurableFileStorage")
class DurableFileStorage(FileSystemStorage):
    """Django's files, flushed to the disk with the folder's entry.

    PostgreSQL flushes its commit; a row must not outlive the file that it names.
    """

    def save(self, name: str | None, content: IO[Any], max_length: int | None = None) -> str:
        saved = super().save(name, content, max_length)
        path = Path(self.path(saved))
        for place in (path, path.parent):
            descriptor = os.open(place, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        return saved
