"""Issuers' identifiers: did:web documents and the keys in them, and did:key.

did:web Method Specification; Controlled Identifiers 1.0 for verification
methods. Nothing here fetches: fetching is the caller's port.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, unquote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from apps.credentials.contexts import MULTIKEY_V1
from apps.credentials.multikey import MultibaseInvalid, decode_public_key, encode_public_key
from apps.credentials.timestamps import TimestampInvalid, format_timestamp, parse_timestamp

DID_CONTEXT: Final = "https://www.w3.org/ns/did/v1"
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
# The last label may not be all digits: the method refuses IP addresses.
_HOST = re.compile(rf"({_LABEL}\.)*(?!\d+(:|$)){_LABEL}(:\d{{1,5}})?")
_SEGMENT = re.compile(r"[A-Za-z0-9._~-]+")


class DidInvalid(ValueError):
    """The text is not an identifier of a supported method."""


class KeyNotPublished(LookupError):
    """The issuer's document does not offer this verification method."""


class KeyUnreachable(LookupError):
    """The issuer's document could not be obtained now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedKey:
    """One of an issuer's keys; a rotated key stays, a compromised one is revoked."""

    fragment: str
    public_key: Ed25519PublicKey
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationKey:
    """A key as a verifier found it: whose it is and whether it may sign credentials."""

    id: str
    controller: str
    public_key: Ed25519PublicKey
    may_assert: bool
    revoked_at: datetime | None = None


KeyResolver = Callable[[str], VerificationKey]


def did_web(host: str, *path: str) -> str:
    """Return the did:web identifier of a host, with a port as %3A. Raises DidInvalid."""
    if not _HOST.fullmatch(host):
        raise DidInvalid(f"{host!r} is not a lower-case host name with an optional port")
    for segment in path:
        if not _SEGMENT.fullmatch(segment) or segment in {".", ".."}:
            raise DidInvalid(f"{segment!r} is not a path segment")
    return ":".join(("did:web", quote(host, safe=""), *path))


def did_web_url(did: str) -> str:
    """Return the address of a did:web identifier's document. Raises DidInvalid."""
    method, _, rest = did.partition("did:web:")
    encoded_host, *path = rest.split(":")
    host = unquote(encoded_host)
    if method or did_web(host, *path).lower() != did.lower():
        raise DidInvalid(f"{did[:200]!r} is not a did:web identifier")
    return f"https://{host}/{'/'.join(path) or '.well-known'}/did.json"


def did_key(public_key: Ed25519PublicKey) -> str:
    return f"did:key:{encode_public_key(public_key)}"


def did_document(*, did: str, keys: Iterable[PublishedKey]) -> dict[str, Any]:
    """Return the DID document that publishes every key, old ones included.

    A revoked key is listed with its time and no longer among those that may
    assert, so what it signed stops verifying.
    """
    published = list(keys)
    return {
        "@context": [DID_CONTEXT, MULTIKEY_V1],
        "id": did,
        "verificationMethod": [_method(did, key) for key in published],
        "assertionMethod": [f"{did}#{key.fragment}" for key in published if not key.revoked_at],
    }


def find_key(document: Mapping[str, Any], verification_method: str) -> VerificationKey:
    """Return the key that a DID document publishes under this address.

    Raises KeyNotPublished also for keys that are not Ed25519.
    """
    did = verification_method.partition("#")[0]
    if document.get("id") != did:
        raise KeyNotPublished(f"the document is not that of {did[:200]}")
    asserting = [_as_method(did, entry) for entry in _list(document.get("assertionMethod"))]
    listed = [_as_method(did, entry) for entry in _list(document.get("verificationMethod"))]
    for id_, method in (*listed, *asserting):
        if id_ == verification_method and method is not None:
            return VerificationKey(
                id=verification_method,
                controller=str(method.get("controller", "")),
                public_key=_public_key(method),
                may_assert=verification_method in {id_ for id_, _ in asserting},
                revoked_at=_revoked_at(method),
            )
    raise KeyNotPublished(f"{did[:200]} does not publish this key")


def did_key_of(verification_method: str) -> VerificationKey:
    """Return the key that a did:key address spells. Raises KeyNotPublished."""
    did, _, fragment = verification_method.partition("#")
    multibase = did.removeprefix("did:key:")
    if multibase == did or fragment != multibase:
        raise KeyNotPublished("not a did:key address")
    try:
        key = decode_public_key(multibase)
    except MultibaseInvalid as error:
        raise KeyNotPublished(str(error)) from None
    return VerificationKey(id=verification_method, controller=did, public_key=key, may_assert=True)


def resolver_of(documents: Mapping[str, Mapping[str, Any]]) -> KeyResolver:
    """Return a resolver that knows these DID documents (by DID) and did:key, and no network.

    It raises KeyUnreachable for any other DID.
    """

    def resolve(verification_method: str) -> VerificationKey:
        did = verification_method.partition("#")[0]
        if did in documents:
            return find_key(documents[did], verification_method)
        if did.startswith("did:key:"):
            return did_key_of(verification_method)
        raise KeyUnreachable(f"the document of {did[:200]} is not at hand")

    return resolve


def _method(did: str, key: PublishedKey) -> dict[str, str]:
    method = {
        "id": f"{did}#{key.fragment}",
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": encode_public_key(key.public_key),
    }
    if key.revoked_at:
        method["revoked"] = format_timestamp(key.revoked_at)
    return method


def _as_method(did: str, entry: Any) -> tuple[str | None, Mapping[str, Any] | None]:
    """Return an entry's absolute id and, unless it only refers to one, the method itself."""
    method = entry if isinstance(entry, Mapping) else None
    id_ = method.get("id") if method is not None else entry
    if not isinstance(id_, str):
        return None, None
    return (did + id_ if id_.startswith("#") else id_), method


def _public_key(method: Mapping[str, Any]) -> Ed25519PublicKey:
    multibase, jwk = method.get("publicKeyMultibase"), method.get("publicKeyJwk")
    try:
        if isinstance(multibase, str):
            return decode_public_key(multibase)
        if isinstance(jwk, Mapping) and jwk.get("crv") == "Ed25519":
            point = str(jwk.get("x"))  # RFC 8037: base64url without padding
            return Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(point + "=="))
    except ValueError as error:
        raise KeyNotPublished(f"the published key cannot be read: {error}") from None
    raise KeyNotPublished("the published key is not an Ed25519 key")


def _revoked_at(method: Mapping[str, Any]) -> datetime | None:
    if "revoked" not in method:
        return None
    try:
        return parse_timestamp(method["revoked"])
    except TimestampInvalid as error:
        raise KeyNotPublished(f"the key's revocation time: {error}") from None


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
