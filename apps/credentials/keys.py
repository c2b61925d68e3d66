"""Signing keys and how they rest: sealed with AES-256-GCM under a wrapping key."""

from __future__ import annotations

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

WRAPPING_KEY_BYTES: Final = 32
_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12
_SEALED_BYTES: Final = len(_VERSION) + _NONCE_BYTES + 32 + 16


class SealBroken(ValueError):
    """The sealed key was altered, belongs to another key id, or the wrapping key is wrong."""


def generate() -> Ed25519PrivateKey:
    """Return a new signing key from the operating system's randomness."""
    return Ed25519PrivateKey.generate()


def seal(private_key: Ed25519PrivateKey, *, wrapping_key: bytes, key_id: str) -> bytes:
    """Return version byte, nonce and ciphertext; `key_id` is bound as associated data.

    Raises ValueError for a wrapping key that is not 32 bytes.
    """
    nonce = os.urandom(_NONCE_BYTES)
    content = private_key.private_bytes_raw()
    return _VERSION + nonce + _cipher(wrapping_key).encrypt(nonce, content, _bound_to(key_id))


def open_sealed(sealed: bytes, *, wrapping_key: bytes, key_id: str) -> Ed25519PrivateKey:
    """Return the key that `seal` hid under the same wrapping key and key id.

    Raises SealBroken; ValueError for a wrapping key that is not 32 bytes.
    """
    cipher = _cipher(wrapping_key)
    if len(sealed) != _SEALED_BYTES or not sealed.startswith(_VERSION):
        raise SealBroken("not a sealed signing key")
    nonce, content = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        secret = cipher.decrypt(nonce, content, _bound_to(key_id))
    except InvalidTag:
        raise SealBroken(f"the sealed key {key_id} does not open") from None
    return Ed25519PrivateKey.from_private_bytes(secret)


def _cipher(wrapping_key: bytes) -> AESGCM:
    if len(wrapping_key) != WRAPPING_KEY_BYTES:
        raise ValueError(f"the wrapping key must be {WRAPPING_KEY_BYTES} bytes")
    return AESGCM(wrapping_key)


def _bound_to(key_id: str) -> bytes:
    return _VERSION + key_id.encode()
