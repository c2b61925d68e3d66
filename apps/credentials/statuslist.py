"""Bitstring Status List v1.0: one bit a credential, published as one signed list.

https://www.w3.org/TR/vc-bitstring-status-list/: at least 131,072 entries, the
first one in the most significant bit, GZIP, then multibase base64url.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import zlib
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

from apps.credentials.contexts import CREDENTIALS_V2
from apps.credentials.timestamps import format_timestamp

MIN_ENTRIES: Final = 131_072
MAX_BYTES: Final = 2_097_152
REVOCATION: Final = "revocation"
SUSPENSION: Final = "suspension"
_GZIP: Final = 31  # zlib's window size for a GZIP header and the largest window
_RANDOM_BYTES: Final = 8


class StatusListInvalid(ValueError):
    """The encoded list is not a bitstring of an allowed size, or an index is outside it."""


def bitstring(set_indices: Iterable[int], *, size: int = MIN_ENTRIES) -> bytes:
    """Return `size` bits with those at `set_indices` on. Raises StatusListInvalid."""
    if size < MIN_ENTRIES or size % 8 or size > MAX_BYTES * 8:
        raise StatusListInvalid(f"a list has {MIN_ENTRIES} entries or more, in whole bytes")
    bits = bytearray(size // 8)
    for index in set_indices:
        if not 0 <= index < size:
            raise StatusListInvalid(f"index {index} is outside a list of {size}")
        bits[index // 8] |= 0x80 >> index % 8
    return bytes(bits)


def encode(bits: bytes) -> str:
    """Return the `encodedList` text; the same bits give the same text."""
    packed = gzip.compress(bits, mtime=0)
    return "u" + base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return the bits of an `encodedList`. Raises StatusListInvalid, also for GZIP bombs."""
    if not text.startswith("u"):
        raise StatusListInvalid("encodedList is not multibase base64url")
    try:
        packed = base64.b64decode(text[1:] + "=" * (-len(text[1:]) % 4), b"-_", validate=True)
        unpacker = zlib.decompressobj(_GZIP)
        bits = unpacker.decompress(packed, MAX_BYTES + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise StatusListInvalid(f"encodedList cannot be unpacked: {error}") from None
    if len(bits) > MAX_BYTES:
        raise StatusListInvalid(f"the list unpacks to more than {MAX_BYTES} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise StatusListInvalid("the packed list is cut short or followed by something else")
    if len(bits) * 8 < MIN_ENTRIES:
        raise StatusListInvalid(f"the list has fewer than {MIN_ENTRIES} entries")
    return bits


def status_at(bits: bytes, index: int, *, size: int = 1) -> int:
    """Return the status of `size` bits at an index. Raises StatusListInvalid outside the list."""
    first = index * size
    if index < 0 or first + size > len(bits) * 8:
        raise StatusListInvalid(f"index {index} is outside the list")
    status = 0
    for position in range(first, first + size):
        status = status << 1 | (bits[position // 8] >> 7 - position % 8 & 1)
    return status


def status_list_credential(
    *,
    url: str,
    issuer: str,
    purpose: str,
    set_indices: Iterable[int],
    valid_from: datetime,
    valid_until: datetime | None = None,
    size: int = MIN_ENTRIES,
) -> dict[str, Any]:
    """Return the unsigned BitstringStatusListCredential served at `url`.

    Raises StatusListInvalid for an index outside the list.
    """
    document: dict[str, Any] = {
        "@context": [CREDENTIALS_V2],
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": format_timestamp(valid_from),
    }
    if valid_until is not None:
        document["validUntil"] = format_timestamp(valid_until)
    document["credentialSubject"] = {
        "id": f"{url}#list",
        "type": "BitstringStatusList",
        "statusPurpose": purpose,
        "encodedList": encode(bitstring(set_indices, size=size)),
    }
    return document


def random_index(size: int, randbytes: Callable[[int], bytes]) -> int:
    """Return an index below `size`, each equally likely, without the bias of a bare remainder.

    Random, so that an index says nothing about when a credential was issued.
    """
    span = 256**_RANDOM_BYTES
    while (number := int.from_bytes(randbytes(_RANDOM_BYTES), "big")) >= span - span % size:
        pass
    return number % size
