from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.contacts.models import AdminAction
from apps.credentials.did import did_document
from apps.credentials.keys import SealBroken
from apps.credentials.models import CredentialDocument, IssuerKey
from apps.credentials.reasons import Reason
from apps.credentials.selectors.issuers import (
    NoIssuerKey,
    issuer,
    published_keys,
    signing_key,
)
from apps.credentials.selectors.verification import verify_award
from apps.credentials.services import KeyRevoked, ensure_issuer_key, revoke_key, rotate_key
from apps.requirements.services import ReasonMissing
from tests.cohorts.factories import NOON, person
from tests.credentials.factories import document_of, world

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def states() -> list[tuple[str, bool]]:
    """Return (state, is the private half there) of every key, in order."""
    keys = IssuerKey.objects.order_by("id")
    return [(key.state, key.sealed_private_key is not None) for key in keys]


def test_ensure_issuer_key_makes_one_and_keeps_it() -> None:
    first = ensure_issuer_key(at=NOON)

    assert ensure_issuer_key(at=NOON + DAY) == first
    assert states() == [("active", True)]
    assert b"sealed" not in bytes(first.sealed_private_key or b"")


def test_signing_key_opens_only_under_the_wrapping_key(settings: Any) -> None:
    ensure_issuer_key(at=NOON)
    assert signing_key(issuer()).verification_method == (
        f"did:web:a.localhost%3A8000#{IssuerKey.objects.get().public_key}"
    )

    settings.ASSAY_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    with pytest.raises(SealBroken):
        signing_key(issuer())


@pytest.mark.parametrize("value", ["short", "AAAA", "not base64!"])
def test_a_bad_wrapping_key_is_a_fault_of_the_installation(settings: Any, value: str) -> None:
    settings.ASSAY_KEY = value

    with pytest.raises(ImproperlyConfigured):
        ensure_issuer_key(at=NOON)


def test_signing_key_without_a_key_is_refused() -> None:
    with pytest.raises(NoIssuerKey):
        signing_key(issuer())


def test_rotate_key_keeps_what_the_old_one_signed_verifiable() -> None:
    it = world()
    old = it.awarded()
    new_key = rotate_key(actor=it.registrar, at=NOON)
    new = it.another("Bob").awarded()

    assert states() == [("retired", False), ("active", True)]
    for award in (old, new):
        verdict = verify_award(award.id, at=NOON)
        assert verdict is not None
        assert verdict.state == "valid"
    assert document_of(new)["proof"]["verificationMethod"].endswith(new_key.public_key)
    assert CredentialDocument.objects.get(award=old).key.state == "retired"
    assert AdminAction.objects.get(action="issuerkey.rotated").entity_id == new_key.id


def test_rotate_key_without_a_key_makes_the_first() -> None:
    rotate_key(actor=person("Rita"), at=NOON)

    assert states() == [("active", True)]


def test_revoke_key_ends_what_it_signed_and_nothing_else() -> None:
    it = world()
    old = it.awarded()
    key = IssuerKey.objects.get()
    revoke_key(key=key, actor=it.registrar, reason="Laptop stolen", at=NOON)
    new = it.another("Bob").awarded()

    assert states() == [("revoked", False), ("active", True)]
    lost, kept = verify_award(old.id, at=NOON), verify_award(new.id, at=NOON)
    assert lost is not None
    assert kept is not None
    assert (lost.state, {s.name: s.reason for s in lost.steps}["issuer"]) == (
        "invalid",
        Reason.KEY_REVOKED,
    )
    assert kept.state == "valid"
    document = did_document(did=issuer().did, keys=published_keys())
    assert len(document["verificationMethod"]) == 2
    assert len(document["assertionMethod"]) == 1


def test_revoke_key_twice_or_without_a_reason_is_refused() -> None:
    key, rita = ensure_issuer_key(at=NOON), person("Rita")

    with pytest.raises(ReasonMissing):
        revoke_key(key=key, actor=rita, reason="", at=NOON)
    revoke_key(key=key, actor=rita, reason="Lost", at=NOON)
    with pytest.raises(KeyRevoked):
        revoke_key(key=key, actor=rita, reason="Lost", at=NOON)


def test_revoke_key_that_retired_before_leaves_the_one_that_signs() -> None:
    old, rita = ensure_issuer_key(at=NOON), person("Rita")
    new = rotate_key(actor=rita, at=NOON)

    revoke_key(key=old, actor=rita, reason="Lost", at=NOON + DAY)

    assert states() == [("revoked", False), ("active", True)]
    assert ensure_issuer_key(at=NOON) == new
