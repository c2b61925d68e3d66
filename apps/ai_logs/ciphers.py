"""The two keys of a conversation, derived from one secret: to seal with, to recognise by."""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from apps.core import sealing

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class SessionCipher:
    """Seals and recognises what is said in one session."""

    session_id: UUID
    _encryption: bytes = field(repr=False)
    _authentication: bytes = field(repr=False)

    def digest(self, content: bytes) -> bytes:
        """Return the HMAC-SHA-256 of the plain bytes, which only the key's holder can make."""
        return hmac.digest(self._authentication, content, hashlib.sha256)

    def seal(self, content: bytes, *, place: UUID) -> bytes:
        """Return the bytes sealed for one row of the session."""
        return sealing.seal(content, bound_to=self._bound_to(place), key=self._encryption)

    def open(self, sealed: bytes, *, place: UUID) -> bytes:
        """Return what was sealed for that row. Raises SealBroken."""
        return sealing.open_sealed(sealed, bound_to=self._bound_to(place), key=self._encryption)

    def _bound_to(self, place: UUID) -> str:
        return f"ai/{self.session_id}/{place}"


def new_secret() -> bytes:
    """Return the secret of a new session, from the operating system's randomness."""
    return os.urandom(SECRET_BYTES)


def seal_secret(secret: bytes, *, session_id: UUID) -> bytes:
    """Return a session's secret as it rests: sealed under the environment's key."""
    return sealing.seal(secret, bound_to=f"ai/{session_id}")


def cipher_of(sealed_secret: bytes, *, session_id: UUID) -> SessionCipher:
    """Return the cipher of a session from its sealed secret. Raises SealBroken."""
    secret = sealing.open_sealed(sealed_secret, bound_to=f"ai/{session_id}")
    return SessionCipher(
        session_id,
        _derived(secret, "encryption"),
        _derived(secret, "authentication"),
    )


def _derived(secret: bytes, purpose: str) -> bytes:
    """Return a key for one purpose (HKDF, RFC 5869), so that neither use can weaken the other."""
    info = f"assay/ai/{purpose}/1".encode()
    return HKDF(algorithm=SHA256(), length=SECRET_BYTES, salt=None, info=info).derive(secret)
