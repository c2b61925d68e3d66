from __future__ import annotations

import copy
from typing import Any

import pytest

from apps.credentials.canonical import expand
from apps.credentials.contexts import CREDENTIALS_V2, OPEN_BADGES_V3, pinned
from apps.credentials.coverage import NotCovered, require_covered, require_unambiguous
from apps.credentials.openbadges import credential_document
from tests.credentials.examples import award


def require_all(document: dict[str, Any], *, issuing: bool = False) -> None:
    require_unambiguous(document, issuing=issuing)
    require_covered(document, expand(document, contexts=pinned()), contexts=pinned())


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    document = credential_document(award())
    holder: Any = document
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = to
    return document


def test_require_covered_accepts_every_part_that_is_issued() -> None:
    require_all(credential_document(award()), issuing=True)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("unheardOf",), "x"),
        (("issuer", "unheardOf"), "x"),
        (("credentialSubject", "achievement", "unheardOf"), {"name": "x"}),
        (("evidence", 0, "unheardOf"), "x"),
        (("type", 1), "UnheardOf"),
        (("issuer", "type"), ["Profile", "UnheardOf"]),
        (("id",), "relative"),
        (("id",), "../up"),
        (("id",), "_:b0"),
        (("issuer", "image", "id"), "logo.png"),
        (("issuer", "image", "id"), "_:b1"),
        (("credentialSubject", "achievement", "image", "id"), "https://a b"),
        (("https://schema.org/name",), "x"),
        (("validUntil",), None),
        (("evidence",), []),
        (("evidence",), [[{"type": "Evidence"}]]),
        (("credentialSubject", "achievement", "tag"), ["crane", "crane"]),
        (("credentialSubject", "identifier", 1, "hashed"), "true"),
        (("name",), {"@value": "x", "@direction": "rtl"}),
        (("name",), {"@value": "x", "@index": "i"}),
        (("issuer", "@id"), "urn:x"),
        (("issuer", "@type"), "https://example.org/T"),
        (("issuer", "@context"), CREDENTIALS_V2),
        (("issuer", "@nest"), {"name": "x"}),
        (("@graph",), [{"name": "x"}]),
        (("@included",), [{"id": "urn:x", "name": "x"}]),
        (("issuer", "@reverse"), {"issuer": {"id": "urn:x", "name": "x"}}),
        (("description",), {"@list": ["a", "b"]}),
    ],
)
def test_require_covered_names_what_the_signature_would_not_protect(
    path: tuple[str | int, ...], value: Any
) -> None:
    with pytest.raises(NotCovered):
        require_all(changed(*path, to=value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("jti",), "urn:uuid:01976e5c-3bc0-7000-8000-000000000009"),
        (("endorsementJwt",), ["a.b.c"]),
        (("issuer", "endorsementJwt"), ["a.b.c"]),
        (("name",), {"@value": "x", "@language": "en"}),
    ],
)
def test_require_unambiguous_is_stricter_when_issuing(
    path: tuple[str | int, ...], value: Any
) -> None:
    document = changed(*path, to=value)
    require_all(document)
    with pytest.raises(NotCovered):
        require_unambiguous(document, issuing=True)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("type",), ["VerifiableCredential", "AchievementCredential"]),
        (("issuer", "type"), "Profile"),
        (("issuer",), {"id": "did:web:acme.example"}),
        (("issuer",), "did:web:acme.example"),
        (("evidence",), {"type": "Evidence", "name": "x"}),
        (("credentialSubject", "creditsEarned"), 1.5),
        (("credentialSchema",), {"id": "https://x.example/s", "type": "JsonSchema"}),
    ],
)
def test_require_covered_accepts_other_spellings_of_the_same(
    path: tuple[str | int, ...], value: Any
) -> None:
    document = changed(*path, to=value)
    before = copy.deepcopy(document)
    require_all(document)
    assert document == before


def test_not_covered_points_at_the_member() -> None:
    document = {
        "@context": [CREDENTIALS_V2, OPEN_BADGES_V3],
        "id": "urn:x:1",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": "urn:x:2", "type": "Profile", "favourite": "x"},
    }
    with pytest.raises(NotCovered, match=r"^/issuer/favourite: "):
        require_all(document)
