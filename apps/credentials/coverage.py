"""Does a signature over the RDF of a document cover every member of its JSON?

JSON-LD drops what it does not understand and PyLD resolves relative addresses
silently: such members could be changed after signing and nobody would notice.
So a document is signed, and believed, only if expanding and compacting it
gives it back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from apps.credentials.canonical import Expanded, compact, is_absolute_iri
from apps.credentials.contexts import Contexts

# Added later to a context that had been published without them, so their
# meaning depends on when a verifier took its copy.
MUTABLE_TERMS: Final = frozenset({"jti", "endorsementJwt"})
# Two names that the Open Badges context gives one meaning.
_SYNONYMS: Final = {"AchievementCredential": "OpenBadgeCredential"}
# Open Badges writes the schema's address with https, which makes other types of it.
_NATIVE: Final = frozenset(
    f"{scheme}://www.w3.org/2001/XMLSchema#{name}"
    for scheme in ("http", "https")
    for name in ("boolean", "decimal", "double", "float", "integer", "positiveInteger")
)
_VALUE_KEYWORDS: Final = frozenset({"@value", "@language"})

Path = tuple[str | int, ...]


class NotCovered(ValueError):
    """A member of the document has no place in what is signed."""


def require_unambiguous(document: Mapping[str, Any], *, issuing: bool = False) -> None:
    """Raise NotCovered for members whose meaning gets lost or depends on the reader.

    Keywords (except `@context` at the top and a value's language), nulls,
    empty or nested arrays, repeats in an array and blank node labels; when
    issuing also every keyword and the terms that contexts define differently.
    """
    for path, name, value in _members(document):
        if isinstance(name, str) and name.startswith("@"):
            allowed = name == "@context" and len(path) == 1
            if not allowed and (issuing or name not in _VALUE_KEYWORDS):
                raise NotCovered(f"{_pointer(path)}: the keyword {name} is not allowed here")
        if issuing and name in MUTABLE_TERMS:
            raise NotCovered(f"{_pointer(path)}: contexts do not agree about {name}")
        _require_kept(path, name, value)


def require_covered(document: Mapping[str, Any], expanded: Expanded, *, contexts: Contexts) -> None:
    """Raise NotCovered unless the expanded form says everything that the document says.

    Arrays of one element equal the element and `{"id": x}` equals `x`; both
    are other spellings of the same statement.
    """
    for path, node in _nodes(expanded, ()):
        _require_absolute(path, node)
    context = document["@context"]
    restored = compact(expanded, context=context, contexts=contexts)
    difference = _difference(
        _plain({name: value for name, value in document.items() if name != "@context"}),
        _plain({name: value for name, value in restored.items() if name != "@context"}),
        (),
    )
    if difference is not None:
        raise NotCovered(f"{_pointer(difference)}: the contexts give this no meaning")


def _require_kept(path: Path, name: str | int, value: Any) -> None:
    if value is None:
        raise NotCovered(f"{_pointer(path)}: null says nothing")
    if isinstance(value, str) and value.startswith("_:") and name in {"id", "type"}:
        raise NotCovered(f"{_pointer(path)}: a blank node label is not an identifier")
    if isinstance(value, list) and "@context" not in path:
        if not value or any(isinstance(item, list) for item in value):
            raise NotCovered(f"{_pointer(path)}: empty and nested arrays say nothing")
        if any(item in value[:index] for index, item in enumerate(value)):
            raise NotCovered(f"{_pointer(path)}: an array has the same element twice")


def _members(document: Mapping[str, Any]) -> Iterator[tuple[Path, str | int, Any]]:
    pending: list[tuple[Path, Any]] = [((), document)]
    while pending:
        path, holder = pending.pop()
        for name, value in holder.items() if isinstance(holder, Mapping) else enumerate(holder):
            yield (*path, name), name, value
            if isinstance(value, Mapping | list):
                pending.append(((*path, name), value))


def _nodes(value: Any, path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _nodes(item, (*path, index))
    elif isinstance(value, Mapping):
        yield path, value
        if "@value" not in value:
            for name, item in value.items():
                yield from _nodes(item, (*path, name))


def _require_absolute(path: Path, node: Mapping[str, Any]) -> None:
    types = node.get("@type", [])
    for iri in (node.get("@id"), *([types] if isinstance(types, str) else types)):
        # A value's type may also be the keyword @json.
        if iri is not None and iri != "@json" and not is_absolute_iri(iri):
            raise NotCovered(f"{_pointer(path)}: {iri[:200]!r} is not an absolute address or term")
    if isinstance(node.get("@value"), str) and types and types in _NATIVE:
        raise NotCovered(f"{_pointer(path)}: a number or truth value is written as text")


def _plain(value: Any) -> Any:
    """Bring the spellings that mean the same into one."""
    if isinstance(value, list):
        items = [_plain(item) for item in value]
        return items[0] if len(items) == 1 else items
    if isinstance(value, Mapping):
        if value.keys() == {"id"}:
            return _plain(value["id"])
        return {
            name: _synonymous(_plain(item)) if name == "type" else _plain(item)
            for name, item in value.items()
        }
    return value


def _synonymous(types: Any) -> Any:
    if isinstance(types, list):
        return [_synonymous(item) for item in types]
    return _SYNONYMS.get(types, types) if isinstance(types, str) else types


def _difference(left: Any, right: Any, path: Path) -> Path | None:
    """Return where the two first differ, None when they are the same."""
    if type(left) is not type(right):
        return path
    if isinstance(left, dict):
        for name in left | right:
            if name not in left or name not in right:
                return (*path, name)
            found = _difference(left[name], right[name], (*path, name))
            if found is not None:
                return found
        return None
    if isinstance(left, list):
        if len(left) != len(right):
            return path
        pairs = enumerate(zip(left, right, strict=True))
        places = (_difference(one, other, (*path, at)) for at, (one, other) in pairs)
        return next((place for place in places if place is not None), None)
    return None if left == right else path


def _pointer(path: Path) -> str:
    return "/" + "/".join(str(step) for step in path)[:300]
