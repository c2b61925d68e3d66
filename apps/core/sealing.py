"""Secrets at rest: sealed with AES-256-GCM under the platform's wrapping key.

A seal is a version byte, a nonce and the ciphertext, bound to what the secret belongs to: copied
to another row it does not open.
"""

from __future__ import annotations

import os
from base64 import b64decode
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

WRAPPING_KEY_BYTES: Final = 32
_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16


class SealBroken(ValueError):
    """The seal was altered, belongs to something else, or the wrapping key is wrong."""


def wrapping_key() -> bytes:
    """Return the platform's key that seals secrets. Raises ImproperlyConfigured."""
    try:
        key = b64decode(settings.ASSAY_KEY, validate=True)
    except ValueError as error:
        raise ImproperlyConfigured("ASSAY_KEY is not base64.") from error
    if len(key) != WRAPPING_KEY_BYTES:
        raise ImproperlyConfigured(f"ASSAY_KEY must be {WRAPPING_KEY_BYTES} bytes in base64.")
    return key


def seal(secret: bytes, *, bound_to: str, key: bytes | None = None) -> bytes:
    """Return the sealed secret; `bound_to` is associated data, needed again to open it.

    Raises ValueError for a wrapping key that is not 32 bytes.
    """
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + _cipher(key).encrypt(nonce, secret, _associated(bound_to))


def open_sealed(sealed: bytes, *, bound_to: str, key: bytes | None = None) -> bytes:
    """Return the secret that `seal` hid for the same owner under the same wrapping key.

    Raises SealBroken; ValueError for a wrapping key that is not 32 bytes.
    """
    cipher = _cipher(key)
    start = len(_VERSION) + _NONCE_BYTES
    if len(sealed) < start + _TAG_BYTES or not sealed.startswith(_VERSION):
        raise SealBroken("not a sealed secret")
    try:
        return cipher.decrypt(sealed[len(_VERSION) : start], sealed[start:], _associated(bound_to))
    except InvalidTag:
        raise SealBroken(f"the sealed secret of {bound_to} does not open") from None


def _cipher(key: bytes | None) -> AESGCM:
    wanted = wrapping_key() if key is None else key
    if len(wanted) != WRAPPING_KEY_BYTES:
        raise ValueError(f"the wrapping key must be {WRAPPING_KEY_BYTES} bytes")
    return AESGCM(wanted)


def _associated(bound_to: str) -> bytes:
    return _VERSION + bound_to.encode()
