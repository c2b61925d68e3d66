from __future__ import annotations

import pytest
from pyld import jsonld

from apps.credentials import contexts
from apps.credentials.contexts import ContextAltered, Contexts, UnknownContext, pinned


def test_pinned_serves_the_published_documents() -> None:
    assert sorted(pinned().documents) == [
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
        "https://w3id.org/security/data-integrity/v2",
        "https://w3id.org/security/multikey/v1",
        "https://www.w3.org/ns/credentials/v2",
    ]


def test_read_refuses_a_file_with_another_digest() -> None:
    with pytest.raises(ContextAltered):
        contexts._read("credentials-v2.json", "0" * 64)


@pytest.mark.parametrize(
    "context",
    [
        None,
        7,
        {},
        {"name": "https://schema.org/name"},
        [],
        "https://www.w3.org/ns/credentials/v3",
        [contexts.CREDENTIALS_V2, "https://www.w3.org/ns/credentials/v2/"],
        [contexts.CREDENTIALS_V2, {"name": "https://example.org/name"}],
        [[contexts.CREDENTIALS_V2]],
        [contexts.CREDENTIALS_V2, contexts.CREDENTIALS_V2],
    ],
)
def test_require_refuses_anything_but_distinct_pinned_addresses(context: object) -> None:
    with pytest.raises(UnknownContext):
        pinned().require({"@context": context})


def test_loader_never_fetches() -> None:
    document = {"@context": "https://example.org/other", "name": "x"}
    with pytest.raises(jsonld.JsonLdError):
        jsonld.expand(document, pinned().options())


def test_sets_with_the_same_address_do_not_mix() -> None:
    one, other = (
        Contexts({"https://x.example/c": {"@context": {"name": f"https://{side}.example/name"}}})
        for side in ("one", "other")
    )
    document = {"@context": "https://x.example/c", "name": "x"}
    expanded = [jsonld.expand(document, known.options()) for known in (one, other, one)]
    assert [next(iter(nodes[0])) for nodes in expanded] == [
        "https://one.example/name",
        "https://other.example/name",
        "https://one.example/name",
    ]
