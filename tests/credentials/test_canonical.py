from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import process_time
from typing import Any

import pyoxigraph
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.credentials.canonical import NotLinkedData, canonical_nquads
from apps.credentials.contexts import CREDENTIALS_V2, UnknownContext
from apps.credentials.rdfc import TooComplex
from tests.credentials.examples import (
    credential,
    needs_samples,
    patient,
    sample,
    with_vocabulary,
)
from tests.pace import allowed

VOCABULARY = "https://vocabulary.example/v1"
OPEN = with_vocabulary(VOCABULARY, {"@vocab": "https://vocabulary.example/#", "id": "@id"})


def test_canonical_nquads_says_what_the_document_says() -> None:
    document = {
        "@context": [CREDENTIALS_V2],
        "id": "urn:x:1",
        "type": "VerifiableCredential",
        "name": 'A\t"b" \\ ü',
        "validFrom": "2025-01-01T00:00:00Z",
    }
    credentials, xsd = "https://www.w3.org/2018/credentials#", "http://www.w3.org/2001/XMLSchema#"
    assert canonical_nquads(document) == (
        "<urn:x:1> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
        f" <{credentials}VerifiableCredential> .\n"
        '<urn:x:1> <https://schema.org/name> "A\\t\\"b\\" \\\\ ü" .\n'
        f'<urn:x:1> <{credentials}validFrom> "2025-01-01T00:00:00Z"^^<{xsd}dateTime> .\n'
    )


def test_canonical_nquads_keeps_language_and_number_types() -> None:
    document = {
        "@context": VOCABULARY,
        "id": "urn:x:1",
        "a": {"@value": "Hallo", "@language": "de"},
        "b": 3,
        "c": 1.5,
        "d": True,
    }
    xsd = "http://www.w3.org/2001/XMLSchema#"
    assert canonical_nquads(document, contexts=OPEN) == (
        '<urn:x:1> <https://vocabulary.example/#a> "Hallo"@de .\n'
        f'<urn:x:1> <https://vocabulary.example/#b> "3"^^<{xsd}integer> .\n'
        f'<urn:x:1> <https://vocabulary.example/#c> "1.5E0"^^<{xsd}double> .\n'
        f'<urn:x:1> <https://vocabulary.example/#d> "true"^^<{xsd}boolean> .\n'
    )


@patient
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
def test_canonical_nquads_escapes_text_as_an_independent_serializer(text: str) -> None:
    document = {"@context": VOCABULARY, "id": "urn:x:1", "a": text}
    quad = pyoxigraph.Quad(
        pyoxigraph.NamedNode("urn:x:1"),
        pyoxigraph.NamedNode("https://vocabulary.example/#a"),
        pyoxigraph.Literal(text),
    )
    expected = pyoxigraph.serialize([quad], format=pyoxigraph.RdfFormat.N_QUADS).decode()
    assert canonical_nquads(document, contexts=OPEN) == expected


@needs_samples
@pytest.mark.parametrize(
    ("document", "canonical"),
    [
        ("unsigned.json", "eddsa-rdfc-2022/canonDocDataInt.txt"),
        ("eddsa-rdfc-2022/proofConfigDataInt.json", "eddsa-rdfc-2022/proofCanonDataInt.txt"),
    ],
)
def test_canonical_nquads_is_that_of_the_w3c_vectors(document: str, canonical: str) -> None:
    files = sample("w3c-vc-di-eddsa/testvectors.json")["files"]
    url = "https://www.w3.org/ns/credentials/examples/v2"
    known = with_vocabulary(url, {"@vocab": "https://www.w3.org/ns/credentials/examples#"})
    assert canonical_nquads(files[document], contexts=known) == files[canonical]


@pytest.mark.parametrize(
    "id_",
    ["urn:x> <urn:p> <urn:o> .\n<urn:y", "urn:a b", 'urn:"', "urn:\\u003e", "urn:{x}", "urn:^"],
)
def test_canonical_nquads_refuses_an_address_that_could_forge_statements(id_: str) -> None:
    document = {"@context": VOCABULARY, "a": {"id": id_, "b": "x"}}
    try:
        canonical = canonical_nquads(document, contexts=OPEN)
    except NotLinkedData:
        return
    # JSON-LD itself drops what has white space: then nothing of it may remain.
    assert "urn:" not in canonical


@pytest.mark.parametrize(
    "members",
    [
        {"type": 7},
        {"type": {"a": "b"}},
        {"id": 7},
        {"id": ["urn:x:1"]},
        {"@graph": 7, "@value": {}},
        {"name": {"@list": {"@list": []}, "@set": 1}},
        {"@reverse": 7},
        {"@included": "x"},
        {"@index": 7},
        {"issuer": {"@context": "https://example.org/c", "name": "x"}},
        {"issuer": {"@context": {"name": "https://example.org/name"}, "name": "x"}},
    ],
)
def test_canonical_nquads_names_malformed_json_ld(members: dict[str, Any]) -> None:
    with pytest.raises(NotLinkedData):
        canonical_nquads({"@context": CREDENTIALS_V2, "type": "VerifiableCredential", **members})


def test_canonical_nquads_refuses_unknown_contexts() -> None:
    with pytest.raises(UnknownContext):
        canonical_nquads({"@context": [CREDENTIALS_V2, "https://example.org/c"], "name": "x"})


def test_canonical_nquads_refuses_a_poison_graph_at_once() -> None:
    # Ten nodes, each pointing to all: nothing tells one from the other.
    labels = [f"_:n{number}" for number in range(10)]
    links = [{"id": label} for label in labels]
    document = {
        "@context": VOCABULARY,
        "nodes": [{"id": label, "links": links} for label in labels],
    }
    started = process_time()
    with pytest.raises(TooComplex):
        canonical_nquads(document, contexts=OPEN)
    assert process_time() - started < allowed(1)


def test_canonical_nquads_is_the_same_from_many_threads() -> None:
    document = {name: value for name, value in credential().items() if name != "proof"}
    expected = canonical_nquads(document)
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(canonical_nquads, [document] * 24))
    assert results == [expected] * 24


def test_canonical_nquads_of_a_credential_has_no_twin_blank_nodes() -> None:
    """Every node of a credential is told apart by its own statements: no search is needed."""
    document = {name: value for name, value in credential().items() if name != "proof"}
    started = process_time()
    for _ in range(5):
        canonical_nquads(document)
    assert (process_time() - started) / 5 < allowed(0.1)
