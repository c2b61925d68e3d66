"""RDF Dataset Canonicalization (RDFC-1.0) that can be interrupted.

Section numbers refer to https://www.w3.org/TR/rdf-canon/. The step that tells
look-alike blank nodes apart (Hash N-Degree Quads) is exponential on hostile
graphs, and the compiled implementations neither stop nor let go of the
interpreter there. This one charges every step to a budget.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import permutations
from typing import NamedTuple

# A unit is under a microsecond. The largest entry of the W3C suite needs 15,000,
# a credential whose blank nodes all differ needs none.
DEFAULT_BUDGET = 250_000
MAX_DEPTH = 64


class TooComplex(Exception):
    """The graph needs more work than its canonical form is worth."""


class Quad(NamedTuple):
    """One statement, each term in N-Quads form; `graph` is empty in the default graph."""

    subject: str
    predicate: str
    object: str
    graph: str

    def line(self) -> str:
        graph = f" {self.graph}" if self.graph else ""
        return f"{self.subject} {self.predicate} {self.object}{graph} .\n"


def is_blank(term: str) -> bool:
    return term.startswith("_:")


@dataclass
class Budget:
    """Work left for one canonicalization."""

    left: int = DEFAULT_BUDGET

    def charge(self, units: int) -> None:
        self.left -= units
        if self.left < 0:
            raise TooComplex("the graph has too many interchangeable blank nodes")


class Issuer:
    """Issues labels in the order asked for (section 4.5)."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.issued: dict[str, str] = {}

    def copy(self) -> Issuer:
        twin = Issuer(self.prefix)
        twin.issued = self.issued.copy()
        return twin

    def issue(self, node: str) -> str:
        label = self.issued.get(node)
        if label is None:
            label = self.issued[node] = f"_:{self.prefix}{len(self.issued)}"
        return label


@dataclass
class _State:
    """The canonicalization state of section 4.3 and the budget it may spend."""

    quads_of: dict[str, list[Quad]]
    digest: Callable[[str], str]
    budget: Budget
    canonical: Issuer = field(default_factory=lambda: Issuer("c14n"))
    first_degree: dict[str, str] = field(default_factory=dict)


def canonical_labels(
    quads: Iterable[Quad], *, budget: Budget | None = None, hash_name: str = "sha256"
) -> dict[str, str]:
    """Return each blank node's canonical label, e.g. {"_:b4": "_:c14n0"} (section 4.4).

    Raises TooComplex when telling blank nodes apart exceeds the budget.
    """
    quads_of: dict[str, list[Quad]] = defaultdict(list)
    for quad in dict.fromkeys(quads):
        for node in dict.fromkeys((quad.subject, quad.object, quad.graph)):
            if is_blank(node):
                quads_of[node].append(quad)
    state = _State(
        quads_of=quads_of,
        digest=lambda text: hashlib.new(hash_name, text.encode()).hexdigest(),
        budget=budget or Budget(),
    )
    nodes_by_hash: dict[str, list[str]] = defaultdict(list)
    for node in quads_of:
        state.first_degree[node] = _hash_first_degree(state, node)
        nodes_by_hash[state.first_degree[node]].append(node)
    alike = []
    for hash_ in sorted(nodes_by_hash):
        if len(nodes_by_hash[hash_]) == 1:
            state.canonical.issue(nodes_by_hash[hash_][0])
        else:
            alike.append(nodes_by_hash[hash_])
    for nodes in alike:
        _label_alike(state, nodes)
    return state.canonical.issued


def canonicalize(
    quads: Iterable[Quad], *, budget: Budget | None = None, hash_name: str = "sha256"
) -> str:
    """Return the canonical N-Quads document: relabelled, without repeats, in code point order.

    Raises TooComplex as `canonical_labels` does.
    """
    statements = list(quads)
    labels = canonical_labels(statements, budget=budget, hash_name=hash_name)

    def labelled(term: str) -> str:
        return labels.get(term, term)

    lines = {
        Quad(labelled(q.subject), q.predicate, labelled(q.object), labelled(q.graph)).line()
        for q in statements
    }
    return "".join(sorted(lines))


def _hash_first_degree(state: _State, node: str) -> str:
    """Section 4.6: the node's quads with itself as `_:a` and every other blank node as `_:z`."""

    def masked(term: str) -> str:
        if not is_blank(term):
            return term
        return "_:a" if term == node else "_:z"

    lines = [
        Quad(masked(q.subject), q.predicate, masked(q.object), masked(q.graph)).line()
        for q in state.quads_of[node]
    ]
    return state.digest("".join(sorted(lines)))


def _label_alike(state: _State, nodes: list[str]) -> None:
    """Section 4.4.3 step 5: label nodes that their own quads do not tell apart."""
    paths = []
    for node in nodes:
        if node in state.canonical.issued:
            continue
        issuer = Issuer("b")
        issuer.issue(node)
        paths.append(_hash_n_degree(state, node, issuer, depth=0))
    for _, issuer in sorted(paths, key=lambda path: path[0]):
        for node in issuer.issued:
            state.canonical.issue(node)


def _hash_n_degree(state: _State, node: str, issuer: Issuer, *, depth: int) -> tuple[str, Issuer]:
    """Section 4.8: a hash of the node's surroundings and the labels that gave it."""
    if depth > MAX_DEPTH:
        raise TooComplex("the graph's interchangeable blank nodes form too long a chain")
    groups = _related_groups(state, node, issuer)
    data: list[str] = []
    for related_hash in sorted(groups):
        path, issuer = _shortest_path(state, groups[related_hash], issuer, depth=depth)
        data += (related_hash, path)
    return state.digest("".join(data)), issuer


def _related_groups(state: _State, node: str, issuer: Issuer) -> dict[str, list[str]]:
    """Section 4.8.3 step 3: the blank nodes beside this one, grouped by how they relate."""
    groups: dict[str, list[str]] = defaultdict(list)
    for quad in state.quads_of[node]:
        positions = (("s", quad.subject), ("o", quad.object), ("g", quad.graph))
        for position, related in positions:
            if is_blank(related) and related != node:
                state.budget.charge(2)
                groups[_hash_related(state, related, quad, issuer, position)].append(related)
    return groups


def _hash_related(state: _State, related: str, quad: Quad, issuer: Issuer, position: str) -> str:
    """Section 4.7. Labels and predicates already carry their `_:` and angle brackets."""
    name = state.canonical.issued.get(related) or issuer.issued.get(related)
    predicate = "" if position == "g" else quad.predicate
    return state.digest(position + predicate + (name or state.first_degree[related]))


def _shortest_path(
    state: _State, related: list[str], issuer: Issuer, *, depth: int
) -> tuple[str, Issuer]:
    """Section 4.8.3 step 5.4: the least path over all orders of the related nodes."""
    chosen: tuple[str, Issuer] | None = None
    for order in permutations(related):
        state.budget.charge(len(order) + len(issuer.issued) // 8 + 2)
        best = chosen[0] if chosen else None
        candidate = _path(state, order, issuer.copy(), best, depth=depth)
        if candidate is not None and (chosen is None or candidate[0] < chosen[0]):
            chosen = candidate
    if chosen is None:  # the first order is never cut short
        raise AssertionError("a group of related nodes has at least one order")
    return chosen


def _path(
    state: _State, order: tuple[str, ...], issuer: Issuer, best: str | None, *, depth: int
) -> tuple[str, Issuer] | None:
    """The path of one order, or None as soon as it cannot beat the best one."""

    def hopeless(path: str) -> bool:
        return best is not None and len(path) >= len(best) and path > best

    path = ""
    unvisited = []
    for node in order:
        label = state.canonical.issued.get(node)
        if label is None:
            if node not in issuer.issued:
                unvisited.append(node)
            label = issuer.issue(node)
        path += label
        if hopeless(path):
            return None
    for node in unvisited:
        hash_, deeper = _hash_n_degree(state, node, issuer, depth=depth + 1)
        path += f"{issuer.issue(node)}<{hash_}>"
        issuer = deeper
        if hopeless(path):
            return None
    return path, issuer
