from __future__ import annotations

from time import process_time
from typing import Any

import pyoxigraph
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.credentials.rdfc import Budget, Quad, TooComplex, canonical_labels, canonicalize
from tests.credentials.examples import needs_samples, patient, sample_or_nothing
from tests.pace import allowed

SUITE: list[dict[str, Any]] = sample_or_nothing("w3c-rdf-canon/rdfc10-tests.json").get(
    "entries", []
)


def entries(kind: str) -> list[Any]:
    return [pytest.param(e, id=e["id"]) for e in SUITE if e["type"] == f"rdfc:RDFC10{kind}Test"]


def parsed(nquads: str) -> list[Quad]:
    def graph(name: object) -> str:
        return "" if isinstance(name, pyoxigraph.DefaultGraph) else str(name)

    return [
        Quad(str(q.subject), str(q.predicate), str(q.object), graph(q.graph_name))
        for q in pyoxigraph.parse(nquads, format=pyoxigraph.RdfFormat.N_QUADS)
    ]


def hash_of(entry: dict[str, Any]) -> str:
    return entry.get("hashAlgorithm", "SHA256").lower()


@needs_samples
def test_suite_is_whole() -> None:
    kinds = ("Eval", "Map", "NegativeEval")
    assert [len(entries(kind)) for kind in kinds] == [64, 21, 1]


@pytest.mark.parametrize("entry", entries("Eval"))
def test_canonicalize_gives_the_suites_form(entry: dict[str, Any]) -> None:
    assert canonicalize(parsed(entry["input"]), hash_name=hash_of(entry)) == entry["expected"]


@pytest.mark.parametrize("entry", entries("Map"))
def test_canonical_labels_gives_the_suites_labels(entry: dict[str, Any]) -> None:
    labels = canonical_labels(parsed(entry["input"]), hash_name=hash_of(entry))
    expected = {f"_:{node}": f"_:{label}" for node, label in entry["expected"].items()}
    assert labels == expected


@pytest.mark.parametrize("entry", entries("NegativeEval"))
def test_canonicalize_refuses_the_poison_graph_at_once(entry: dict[str, Any]) -> None:
    quads = parsed(entry["input"])
    started = process_time()
    with pytest.raises(TooComplex):
        canonicalize(quads)
    assert process_time() - started < allowed(1)


def test_canonicalize_refuses_a_long_ring_before_the_stack_ends() -> None:
    ring = [Quad(f"_:n{i}", "<p:p>", f"_:n{(i + 1) % 900}", "") for i in range(900)]
    with pytest.raises(TooComplex):
        canonicalize(ring, budget=Budget(10**9))


nodes = st.sampled_from(["_:a", "_:b", "_:c", "_:d", "<x:x>"])
graphs = st.lists(
    st.builds(
        Quad, nodes, st.sampled_from(["<p:p>", "<p:q>"]), nodes, st.sampled_from(["", "_:c"])
    ),
    max_size=8,
)


@patient
@given(graphs)
def test_canonicalize_agrees_with_an_independent_implementation(quads: list[Quad]) -> None:
    dataset = pyoxigraph.Dataset(
        pyoxigraph.parse(
            "".join(quad.line() for quad in quads), format=pyoxigraph.RdfFormat.N_QUADS
        )
    )
    dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
    expected = pyoxigraph.serialize(dataset, format=pyoxigraph.RdfFormat.N_QUADS).decode()
    assert canonicalize(quads) == "".join(sorted(expected.splitlines(keepends=True)))


@patient
@given(graphs, st.randoms(use_true_random=False))
def test_canonicalize_does_not_depend_on_labels_or_order(quads: list[Quad], random: Any) -> None:
    names = ["_:k", "_:l", "_:m", "_:n"]
    random.shuffle(names)
    renamed = dict(zip(["_:a", "_:b", "_:c", "_:d"], names, strict=True))
    twin = [Quad(*(renamed.get(term, term) for term in quad)) for quad in quads]
    random.shuffle(twin)
    assert canonicalize(twin) == canonicalize(quads)
