"""An independent verifier (openbadgeslib) reads what we issue. No network."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from openbadgeslib.ob3 import (
    OB3LdpVerifier,
    OB3VerificationError,
    add_data_integrity_proof,
    check_credential_status,
)

from apps.credentials.did import did_web_url
from apps.credentials.openbadges import AwardSpec, credential_document
from apps.credentials.verification import verify_credential
from tests.credentials.examples import (
    DID,
    DID_DOCUMENT,
    KEY,
    METHOD,
    NOW,
    STATUS_INDEX,
    STATUS_URL,
    award,
    credential,
    known_keys,
    patient,
    serving,
    signed,
    status_list,
)


def download(**status: Any) -> Callable[[str], bytes]:
    """What our host would serve."""
    served = {
        did_web_url(DID): json.dumps(DID_DOCUMENT).encode(),
        STATUS_URL: json.dumps(status_list(valid_until=None, **status) if status else {}).encode(),
    }
    return served.__getitem__


def lasting(**changes: Any) -> AwardSpec:
    """An award in force by the wall clock, which is the one the other verifier looks at."""
    return replace(award(**changes), valid_until=None)


PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
LASTING = signed(credential_document(lasting()))


def accepts(source: bytes) -> bool:
    try:
        OB3LdpVerifier.for_issuer_did(DID).verify(source, download=download())
    except OB3VerificationError:
        return False
    return True


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(lasting(), id="every part"),
        pytest.param(lasting(evidence=[], results=[], statuses=[]), id="fewer parts"),
        pytest.param(lasting(subject_id="did:example:ada", identities=[]), id="subject by id"),
    ],
)
def test_openbadgeslib_accepts_what_we_issue(spec: AwardSpec) -> None:
    secured = signed(credential_document(spec))
    read = OB3LdpVerifier.for_issuer_did(DID).verify(
        json.dumps(secured).encode(), download=download()
    )
    assert (read.id, read.issuer.id, read.achievement.name) == (
        spec.id,
        DID,
        spec.achievement.name,
    )


def test_openbadgeslib_refuses_one_changed_byte_in_each_value() -> None:
    text = json.dumps(LASTING)
    values = ["Ada King", "ACME-2025-0001", "Crane operator", '"88"', "2025-05-02T12", '"77777"']
    for value in values:
        place = text.index(value) + len(value) - 2
        altered = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
        assert not accepts(altered.encode()), value
    assert accepts(text.encode())


texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30).filter(
    str.strip
)


@settings(patient, max_examples=25)
@given(texts, texts)
def test_openbadgeslib_accepts_any_words(name: str, description: str) -> None:
    achievement = replace(lasting().achievement, name=name, description=description)
    secured = signed(credential_document(lasting(achievement=achievement)))
    assert accepts(json.dumps(secured).encode())


def test_openbadgeslib_reads_our_status_list() -> None:
    read = OB3LdpVerifier.for_issuer_did(DID).verify(LASTING, download=download())
    check_credential_status(read, download=download(set_indices=(STATUS_INDEX - 1,)))
    with pytest.raises(OB3VerificationError, match="revocation"):
        check_credential_status(read, download=download(set_indices=(STATUS_INDEX,)))


def test_openbadgeslib_makes_the_same_proof() -> None:
    document = credential_document(award())
    theirs = add_data_integrity_proof(copy.deepcopy(document), PEM, METHOD, created=NOW)
    assert theirs == credential()


def test_we_accept_what_openbadgeslib_signs() -> None:
    theirs = add_data_integrity_proof(credential_document(award()), PEM, METHOD, created=NOW)
    verification = verify_credential(
        json.dumps(theirs),
        resolve_key=known_keys(),
        resolve_status=serving(status_list()),
        now=NOW,
    )
    assert verification.state == "valid"
