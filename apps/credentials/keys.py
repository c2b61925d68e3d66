"""Signing keys and how they rest: sealed, bound to their public half."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from apps.core import sealing
from apps.core.sealing import SealBroken

__all__ = ["SealBroken", "generate", "open_sealed", "seal"]

_PRIVATE_KEY_BYTES: Final = 32


def generate() -> Ed25519PrivateKey:
    """Return a new signing key from the operating system's randomness."""
    return Ed25519PrivateKey.generate()


def seal(private_key: Ed25519PrivateKey, *, wrapping_key: bytes, key_id: str) -> bytes:
    """Return the sealed private key; `key_id` is bound to it.

    Raises ValueError for a wrapping key that is not 32 bytes.
    """
    return sealing.seal(private_key.private_bytes_raw(), bound_to=key_id, key=wrapping_key)


def open_sealed(sealed: bytes, *, wrapping_key: bytes, key_id: str) -> Ed25519PrivateKey:
    """Return the key that `seal` hid under the same wrapping key and key id.

    Raises SealBroken; ValueError for a wrapping key that is not 32 bytes.
    """
    secret = sealing.open_sealed(sealed, bound_to=key_id, key=wrapping_key)
    if len(secret) != _PRIVATE_KEY_BYTES:
        raise SealBroken("not a sealed signing key")
    return Ed25519PrivateKey.from_private_bytes(secret)
