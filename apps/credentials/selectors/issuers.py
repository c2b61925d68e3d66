"""The organisation as an issuer: its identifier, its addresses and its keys."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from apps.core.problems import Conflict
from apps.core.sealing import wrapping_key
from apps.core.tenancy import connection
from apps.credentials.did import (
    DidInvalid,
    KeyResolver,
    PublishedKey,
    VerificationKey,
    did_document,
    did_web,
    did_web_url,
    resolver_of,
)
from apps.credentials.keys import open_sealed
from apps.credentials.models import IssuerKey
from apps.credentials.multikey import decode_public_key
from apps.credentials.openbadges import IssuerSpec
from apps.credentials.publication import printable
from apps.credentials.vocabulary import KeyState
from apps.organizations.hosts import base_url

_HOME: Final = re.compile(r"https?://(?P<host>[a-z0-9.-]+)(:[1-9]\d{0,4})?")


class NoIssuerKey(Conflict):
    code = "no-issuer-key"
    title = "This organisation has no key to sign with yet."


@dataclass(frozen=True, slots=True)
class Issuer:
    """An organisation under one of its hosts; `home` is the address, with scheme and port."""

    name: str
    host: str
    home: str

    @property
    def did(self) -> str:
        return did_web(self.home.partition("://")[2])

    @property
    def spec(self) -> IssuerSpec:
        return IssuerSpec(id=self.did, name=printable(self.name), url=self.home)

    def credential_url(self, award_id: UUID) -> str:
        return f"{self.home}/v1/credentials/{award_id}"

    def achievement_url(self, version_id: UUID) -> str:
        return f"{self.home}/credentials/achievements/{version_id}"

    def status_list_url(self, purpose: str, number: int) -> str:
        return f"{self.home}/credentials/status/{purpose}/{number}"

    def page_url(self, award_id: UUID) -> str:
        return f"{self.home}/credentials/{award_id}"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key that signs now, opened, and its address in the issuer's DID document."""

    row: IssuerKey
    private_key: Ed25519PrivateKey
    verification_method: str


def issuers() -> list[Issuer]:
    """Return the organisation in force under each of its hosts, the primary one first."""
    organization = connection.tenant
    domains = organization.domains.order_by("-is_primary", "domain")
    return [
        Issuer(organization.name, domain, base_url(domain))
        for domain in domains.values_list("domain", flat=True)
    ]


def issuer() -> Issuer:
    """Return the organisation in force under its primary host: what it signs as."""
    return issuers()[0]


def issuer_at(host: str) -> Issuer | None:
    """Return the organisation in force under this host, None if it is not one of its hosts."""
    return next((one for one in issuers() if one.host == host), None)


def issuer_then(home: str, own: Sequence[Issuer]) -> Issuer | None:
    """Return the organisation at an address of one of its hosts, whatever the port was then.

    What was signed keeps its addresses for ever; a demo or a proxy may move to another port.
    """
    found = _HOME.fullmatch(home)
    if found is None:
        return None
    return next((replace(one, home=home) for one in own if one.host == found["host"]), None)


def published_keys() -> list[PublishedKey]:
    """Return every key of the organisation, old ones included, in the order they were made."""
    return [
        PublishedKey(
            fragment=row.public_key,
            public_key=decode_public_key(row.public_key),
            revoked_at=row.revoked_at,
        )
        for row in IssuerKey.objects.order_by("id")
    ]


def key_resolver() -> KeyResolver:
    """Return a resolver of this organisation's keys and of did:key; it asks no network.

    What was signed under an older host or at another port verifies too.
    """
    own, keys = issuers(), published_keys()

    def resolve(verification_method: str) -> VerificationKey:
        did = verification_method.partition("#")[0]
        is_own = issuer_then(_home_of(did), own) is not None
        known = {did: did_document(did=did, keys=keys)} if is_own else {}
        return resolver_of(known)(verification_method)

    return resolve


def _home_of(did: str) -> str:
    """Return the address whose DID document a did:web names, "" for anything else."""
    try:
        return did_web_url(did).removesuffix("/.well-known/did.json")
    except DidInvalid:
        return ""


def signing_key(issuer: Issuer) -> SigningKey:
    """Return the key that signs now. Raises NoIssuerKey."""
    row = IssuerKey.objects.filter(state=KeyState.ACTIVE).first()
    if row is None:
        raise NoIssuerKey
    private_key = open_sealed(
        bytes(row.sealed_private_key or b""), wrapping_key=wrapping_key(), key_id=row.public_key
    )
    return SigningKey(row, private_key, f"{issuer.did}#{row.public_key}")
