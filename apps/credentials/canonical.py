"""From a JSON-LD document to the bytes a signature covers.

PyLD expands the document and makes RDF of it, under pinned contexts only;
`rdfc` brings that into canonical form within a budget. PyLD keeps
process-wide caches that threads corrupt, hence the lock around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import Any

from pyld import jsonld

from apps.credentials.contexts import Contexts, pinned
from apps.credentials.rdfc import Budget, Quad, canonicalize

Expanded = list[dict[str, Any]]

_RDF_LANG_STRING = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"
_XSD_STRING = "http://www.w3.org/2001/XMLSchema#string"
# What N-Quads lets stand between angle brackets, after a scheme (RFC 3987).
_ABSOLUTE_IRI = re.compile(r'[A-Za-z][A-Za-z0-9+.\-]*:[^\x00-\x20\x7f<>"{}|^`\\]*\Z')
_ESCAPES = str.maketrans(
    {
        **{code: f"\\u{code:04X}" for code in (*range(0x20), 0x7F)},
        "\b": "\\b",
        "\t": "\\t",
        "\n": "\\n",
        "\f": "\\f",
        "\r": "\\r",
        '"': '\\"',
        "\\": "\\\\",
    }
)
# PyLD answers some malformed documents with its own error and others with
# whatever the line that trips over them raises.
_PYLD_ERRORS = (
    jsonld.JsonLdError,
    TypeError,
    ValueError,
    KeyError,
    AttributeError,
    IndexError,
    RecursionError,
)
_pyld = Lock()


class NotLinkedData(ValueError):
    """The document has no meaning as JSON-LD under its contexts."""


def canonical_nquads(
    document: Mapping[str, Any], *, contexts: Contexts | None = None, budget: Budget | None = None
) -> str:
    """Return the document's canonical N-Quads (RDFC-1.0 of its JSON-LD 1.1 meaning).

    Raises UnknownContext, NotLinkedData, or TooComplex when the blank nodes
    cannot be told apart within the budget.
    """
    known = contexts or pinned()
    return nquads_of(expand(document, contexts=known), budget=budget)


def expand(document: Mapping[str, Any], *, contexts: Contexts) -> Expanded:
    """Return the document in expanded form. Raises UnknownContext, NotLinkedData."""
    contexts.require(document)
    expanded: Expanded = _run(lambda: jsonld.expand(dict(document), contexts.options()))
    return expanded


def compact(expanded: Expanded, *, context: Any, contexts: Contexts) -> dict[str, Any]:
    """Return the expanded document compacted with `context`. Raises NotLinkedData."""
    options = {**contexts.options(), "skipExpansion": True}
    compacted: dict[str, Any] = _run(lambda: jsonld.compact(expanded, context, options))
    return compacted


def nquads_of(expanded: Expanded, *, budget: Budget | None = None) -> str:
    """Return the canonical N-Quads of an expanded document. Raises NotLinkedData, TooComplex."""
    dataset = _run(lambda: jsonld.to_rdf(expanded, {"documentLoader": _refuse, "base": ""}))
    return canonicalize(_quads(dataset), budget=budget)


def is_absolute_iri(value: str) -> bool:
    return _ABSOLUTE_IRI.match(value) is not None


def _run(work: Callable[[], Any]) -> Any:
    with _pyld:
        try:
            return work()
        except _PYLD_ERRORS as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise NotLinkedData(f"not JSON-LD: {reason[:500]}") from error


def _refuse(url: str, options: object = None) -> dict[str, Any]:
    raise NotLinkedData(f"an expanded document names the context {url[:200]}")


def _quads(dataset: Mapping[str, list[dict[str, Any]]]) -> Iterator[Quad]:
    for name, triples in dataset.items():
        graph = "" if name == "@default" else _resource(name)
        for triple in triples:
            yield Quad(
                _resource(triple["subject"]["value"]),
                _resource(triple["predicate"]["value"]),
                _term(triple["object"]),
                graph,
            )


def _term(term: Mapping[str, str]) -> str:
    if term["type"] != "literal":
        return _resource(term["value"])
    literal = f'"{str(term["value"]).translate(_ESCAPES)}"'
    datatype = term["datatype"]
    if datatype == _RDF_LANG_STRING:
        return f"{literal}@{term['language']}"
    return literal if datatype == _XSD_STRING else f"{literal}^^{_resource(datatype)}"


def _resource(value: str) -> str:
    """Return a blank node label as it is and an IRI in angle brackets.

    Checked, because a `>` inside an IRI could forge whole statements.
    """
    if value.startswith("_:"):
        return value
    if not is_absolute_iri(value):
        raise NotLinkedData(f"{value[:200]!r} is not an absolute IRI")
    return f"<{value}>"
