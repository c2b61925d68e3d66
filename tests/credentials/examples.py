"""An organisation, its key and a credential of every kind of part; and where the samples are."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import settings

from apps.credentials.contexts import Contexts, pinned
from apps.credentials.dataintegrity import sign
from apps.credentials.did import KeyResolver, PublishedKey, did_document, did_web, resolver_of
from apps.credentials.openbadges import (
    AchievementSpec,
    AlignmentSpec,
    AwardSpec,
    CriteriaSpec,
    EvidenceSpec,
    ImageSpec,
    IssuerSpec,
    ResultDescriptionSpec,
    ResultSpec,
    StatusSpec,
    credential_document,
    hashed_email,
    printed_name,
)
from apps.credentials.statuslist import status_list_credential

SAMPLES = (
    Path(os.environ.get("ASSAY_SAMPLES", Path(__file__).parents[2].parent / "shared" / "samples"))
    / "credentials"
)
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason=f"no credential samples at {SAMPLES}; set ASSAY_SAMPLES"
)

# JSON-LD takes milliseconds, and many of them on a busy machine.
patient = settings(deadline=None)

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
DID = did_web("acme.example")
METHOD = f"{DID}#key-1"
DID_DOCUMENT = did_document(
    did=DID, keys=[PublishedKey(fragment="key-1", public_key=KEY.public_key())]
)
STATUS_URL = "https://acme.example/status/revocation/1"
STATUS_INDEX = 77_777
SCORE = "urn:uuid:01976e5c-3bc0-7000-8000-000000000003"


@cache
def sample(name: str) -> Any:
    """Return one JSON sample file."""
    return json.loads((SAMPLES / name).read_text())


def sample_or_nothing(name: str) -> Any:
    """Return one JSON sample file, or an empty object where the samples are absent."""
    return sample(name) if SAMPLES.is_dir() else {}


def with_vocabulary(url: str, definition: dict[str, Any]) -> Contexts:
    """Return the pinned contexts and one more."""
    return Contexts({**pinned().documents, url: {"@context": definition}})


def award(**changes: Any) -> AwardSpec:
    """Return an award that uses every kind of part, with some of them changed."""
    parts: dict[str, Any] = {
        "id": "urn:uuid:01976e5c-3bc0-7000-8000-000000000001",
        "achievement": AchievementSpec(
            id="urn:uuid:01976e5c-3bc0-7000-8000-000000000002",
            name="Kranführer · Crane operator “Level 2” 起重機",
            description='Works safely.\n\tEven in "wind" \\ rain.',
            criteria=CriteriaSpec(id="https://acme.example/crane", narrative="Pass *both* exams."),
            version="3",
            image=ImageSpec(id="https://acme.example/crane.png", caption="A crane"),
            alignments=[
                AlignmentSpec(
                    target_name="Lifting",
                    target_url="https://skills.example/lifting",
                    target_code="L-1",
                    target_framework="Skills",
                    target_description="Lifts loads",
                    target_type="ceasn:Competency",
                ),
                AlignmentSpec(target_name="Rigging", target_url="https://skills.example/rigging"),
            ],
            tags=["crane", "safety"],
            result_descriptions=[
                ResultDescriptionSpec(
                    id=SCORE,
                    name="Score",
                    result_type="Percent",
                    required_value="60",
                    value_min="0",
                    value_max="100",
                )
            ],
            in_language="en",
            human_code="CR-2",
            field_of_study="Construction",
        ),
        "issuer": IssuerSpec(
            id=DID,
            name="Acme Academy",
            url="https://acme.example",
            email="office@acme.example",
            description="Trains operators",
            image=ImageSpec(id="https://acme.example/logo.png"),
        ),
        "valid_from": NOW - timedelta(days=30),
        "valid_until": NOW + timedelta(days=700),
        "identities": [
            printed_name("Ada King, Countess of Lovelace"),
            hashed_email("Ada@Example.org ", salt="pepper"),
        ],
        "number": "ACME-2025-0001",
        "description": "Awarded after two exams",
        "evidence": [
            EvidenceSpec(id="https://acme.example/evidence/1", name="Exam", narrative="Passed"),
            EvidenceSpec(name="Practical", description="Observed", genre="Test", audience="All"),
        ],
        "results": [ResultSpec(value="88", description_id=SCORE)],
        "statuses": [StatusSpec(list_url=STATUS_URL, index=STATUS_INDEX)],
    }
    return AwardSpec(**{**parts, **changes})


def signed(document: dict[str, Any], *, key: Ed25519PrivateKey = KEY) -> dict[str, Any]:
    return sign(document, private_key=key, verification_method=METHOD, created=NOW)


@cache
def credential() -> dict[str, Any]:
    """Return the example credential, signed. Copy it before changing it."""
    return signed(credential_document(award()))


def status_list(*, set_indices: tuple[int, ...] = (), **changes: Any) -> dict[str, Any]:
    """Return the signed status list that the example credential names."""
    parts: dict[str, Any] = {
        "url": STATUS_URL,
        "issuer": DID,
        "purpose": "revocation",
        "set_indices": set_indices,
        "valid_from": NOW - timedelta(hours=1),
        "valid_until": NOW + timedelta(days=1),
    }
    return signed(status_list_credential(**{**parts, **changes}))


def serving(document: dict[str, Any]) -> Callable[[str], dict[str, Any]]:
    """Return a status resolver that has one list and knows its address."""

    def resolve(url: str) -> dict[str, Any]:
        assert url == STATUS_URL
        return document

    return resolve


def known_keys() -> KeyResolver:
    return resolver_of({DID: DID_DOCUMENT})
