"""Primary keys: UUID version 7 (RFC 9562), so that ids sort by the time they were made."""

import uuid

import uuid_utils


def uuid7() -> uuid.UUID:
    """Return a new UUIDv7 as the standard library's type."""
    return uuid.UUID(int=uuid_utils.uuid7().int)
