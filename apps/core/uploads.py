"""A file that a client of /v1 sends: as the body, or as the part `file` of a form."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any, ClassVar

from django.core.files.uploadedfile import UploadedFile
from drf_spectacular.types import OpenApiTypes
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from apps.core.problems import Invalid, TooLarge

BODY = "body"
FORM = {
    "multipart/form-data": {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary"}},
        "required": ["file"],
    }
}
"""How the schema tells of a form with a file."""


def bodies(*media_types: str) -> dict[Any, Any]:
    """Return how the schema tells of a file that may be the body, or in a form."""
    return {**dict.fromkeys(media_types, OpenApiTypes.BINARY), **FORM}


@dataclass(frozen=True)
class SentFile:
    """A file as it came. Its representation is a digest: that is what identifies a request."""

    data: bytes = field(repr=False)
    sha256: str


class FileParser(BaseParser):
    """A file as the body of the request; subclasses say its type, its limit and the refusal."""

    max_bytes: ClassVar[int]
    too_large: ClassVar[type[TooLarge]]

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, SentFile]:
        data = stream.read(self.max_bytes + 1)
        if len(data) > self.max_bytes:
            raise self.too_large
        return {BODY: SentFile(data, hashlib.sha256(data).hexdigest())}


def sent_file(
    request: Request, *, max_bytes: int, missing: type[Invalid], too_large: type[TooLarge]
) -> tuple[bytes, str]:
    """Return the bytes of the file, and its name where the client told one.

    Raises `missing` or `too_large`.
    """
    sent: Any = request.data
    body = sent.get(BODY)
    if isinstance(body, SentFile):
        return body.data, ""
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise missing
    if file.size is None or file.size > max_bytes:
        raise too_large
    return file.read(), file.name or ""
