from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from apps.credentials.badges import badge_svg, data_uri
from apps.credentials.content import SignedContent, signed_content
from apps.credentials.openbadges import evidence_id
from tests.credentials.examples import DID, NOW, credential

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


def test_signed_content_reads_every_statement() -> None:
    assert signed_content(credential()) == SignedContent(
        id="urn:uuid:01976e5c-3bc0-7000-8000-000000000001",
        name="Kranführer · Crane operator “Level 2” 起重機",
        description='Works safely.\n\tEven in "wind" \\ rain.',
        achievement_id="urn:uuid:01976e5c-3bc0-7000-8000-000000000002",
        achievement_type="Certificate",
        criteria="Pass *both* exams.",
        image="https://acme.example/crane.png",
        holder="Ada King, Countess of Lovelace",
        number="ACME-2025-0001",
        issuer_id=DID,
        issuer_name="Acme Academy",
        issuer_url="https://acme.example",
        issued_at=NOW - timedelta(days=30),
        expires_at=NOW + timedelta(days=700),
        evidence_ids=("https://acme.example/evidence/1",),
        alignments=(
            ("Lifting", "https://skills.example/lifting"),
            ("Rigging", "https://skills.example/rigging"),
        ),
        tags=("crane", "safety"),
    )


def test_signed_content_reads_other_spellings() -> None:
    content = signed_content(
        {
            "issuer": "did:example:plain",
            "name": {"@value": "Kran", "@language": "de"},
            "validFrom": "yesterday",
            "credentialSubject": {
                "name": "Ada",
                "identifier": {"identityType": "name", "hashed": True, "identityHash": "x"},
                "achievement": {"tag": "one"},
            },
        }
    )

    assert content == SignedContent(
        name="Kran", issuer_id="did:example:plain", holder="Ada", tags=("one",)
    )


@given(
    st.dictionaries(
        st.sampled_from(["id", "name", "issuer", "credentialSubject", "validFrom", "evidence"]),
        json_values,
    )
)
def test_signed_content_survives_any_document(document: dict[str, Any]) -> None:
    assert isinstance(signed_content(document), SignedContent)


def test_evidence_id_names_the_facts_by_their_digest() -> None:
    # The example of RFC 6920, section 8.1: the digest of "Hello World!".
    digest = "7f83b1657ff1fc53b92dc18148a1d65dfc2d4b1fa3d677284addd200126d9069"

    assert evidence_id(digest) == "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk"


@pytest.mark.parametrize("letters", ["A", "AB", "ABC", "ABCD", '<">&'])
def test_badge_svg_is_well_formed_whatever_the_letters(letters: str) -> None:
    svg = badge_svg(letters=letters, background="#000000", foreground="#ffffff", label="<&>")

    root = etree.fromstring(svg)
    assert root.findtext("{http://www.w3.org/2000/svg}text") == letters
    assert root.get("aria-label") == "<&>"
    assert data_uri(svg).startswith("data:image/svg+xml;base64,")
