"""Is this JSON shaped like an Open Badges 3.0 credential?

The members that a verifier relies on, after the 1EdTech JSON schema of
AchievementCredential; members not named here may have any shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from apps.credentials.canonical import is_absolute_iri
from apps.credentials.timestamps import TimestampInvalid, parse_timestamp

_Check = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class _Member:
    """How one member must look: a plain value, or one of the shapes below."""

    kind: _Check | str
    required: bool = False
    many: bool = False


def problems_of(document: Mapping[str, Any]) -> list[str]:
    """Return what is missing or malformed, each as `path: reason`; empty when nothing is."""
    found = list(_shape_problems("OpenBadgeCredential", document, ""))
    types = _listed(document.get("type"))
    if "VerifiableCredential" not in types:
        found.append("type: not a VerifiableCredential")
    subject = document.get("credentialSubject")
    if isinstance(subject, Mapping) and not ("id" in subject or "identifier" in subject):
        found.append("credentialSubject: names nobody (id or identifier)")
    return found


def _shape_problems(shape: str, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path or 'document'}: not an object"
        return
    prefix = f"{path}." if path else ""
    if not _names(shape) & set(_listed(value.get("type"))):
        yield f"{prefix}type: not {shape}"
    for name, member in _SHAPES[shape].items():
        if name in value:
            yield from _member_problems(member, value[name], prefix + name)
        elif member.required:
            yield f"{prefix}{name}: missing"


def _member_problems(member: _Member, value: Any, path: str) -> Iterator[str]:
    values = value if member.many and isinstance(value, list) else [value]
    for item in values:
        if isinstance(member.kind, str):
            yield from _shape_problems(member.kind, item, path)
        elif not member.kind(item):
            yield f"{path}: malformed"


def _names(shape: str) -> set[str]:
    """Return the types that make a value one of this shape."""
    aliases = {"OpenBadgeCredential": {"OpenBadgeCredential", "AchievementCredential"}}
    return aliases.get(shape, {shape})


def _listed(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, str)]


def _is_text(value: Any) -> bool:
    """Text, or text with its language."""
    if isinstance(value, Mapping):
        value = value.get("@value")
    return isinstance(value, str) and bool(value.strip())


def _is_iri(value: Any) -> bool:
    return isinstance(value, str) and is_absolute_iri(value)


def _is_timestamp(value: Any) -> bool:
    try:
        parse_timestamp(value)
    except TimestampInvalid:
        return False
    return True


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_image(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    return _is_iri(value.get("id")) and "Image" in _listed(value.get("type"))


def _is_issuer(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return _is_iri(value)
    return not list(_shape_problems("Profile", value, "issuer"))


def _is_criteria(value: Any) -> bool:
    """At least one way to learn what had to be done."""
    if not isinstance(value, Mapping):
        return False
    id_, narrative = value.get("id"), value.get("narrative")
    if id_ is not None and not _is_iri(id_):
        return False
    return id_ is not None or _is_text(narrative)


def _is_typed(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(_listed(value.get("type")))


_SHAPES: Final[Mapping[str, Mapping[str, _Member]]] = {
    "OpenBadgeCredential": {
        "id": _Member(_is_iri, required=True),
        "name": _Member(_is_text),
        "description": _Member(_is_text),
        "image": _Member(_is_image),
        "issuer": _Member(_is_issuer, required=True),
        "validFrom": _Member(_is_timestamp, required=True),
        "validUntil": _Member(_is_timestamp),
        "credentialSubject": _Member("AchievementSubject", required=True),
        "evidence": _Member("Evidence", many=True),
        "credentialStatus": _Member(_is_typed, many=True),
        "credentialSchema": _Member(_is_typed, many=True),
    },
    "Profile": {
        "id": _Member(_is_iri, required=True),
        "name": _Member(_is_text),
        "url": _Member(_is_iri),
        "email": _Member(_is_text),
        "image": _Member(_is_image),
    },
    "AchievementSubject": {
        "id": _Member(_is_iri),
        "identifier": _Member("IdentityObject", many=True),
        "licenseNumber": _Member(_is_text),
        "achievement": _Member("Achievement", required=True),
        "result": _Member("Result", many=True),
    },
    "IdentityObject": {
        "hashed": _Member(_is_flag, required=True),
        "identityHash": _Member(_is_text, required=True),
        "identityType": _Member(_is_text, required=True),
        "salt": _Member(_is_text),
    },
    "Achievement": {
        "id": _Member(_is_iri, required=True),
        "achievementType": _Member(_is_text),
        "name": _Member(_is_text, required=True),
        "description": _Member(_is_text, required=True),
        "criteria": _Member(_is_criteria, required=True),
        "version": _Member(_is_text),
        "image": _Member(_is_image),
        "alignment": _Member("Alignment", many=True),
        "tag": _Member(_is_text, many=True),
        "resultDescription": _Member("ResultDescription", many=True),
    },
    "Alignment": {
        "targetName": _Member(_is_text, required=True),
        "targetUrl": _Member(_is_iri, required=True),
    },
    "ResultDescription": {
        "id": _Member(_is_iri, required=True),
        "name": _Member(_is_text, required=True),
        "resultType": _Member(_is_text, required=True),
    },
    "Result": {
        "value": _Member(_is_text),
        "resultDescription": _Member(_is_iri),
        "achievedLevel": _Member(_is_iri),
        "status": _Member(_is_text),
    },
    "Evidence": {
        "id": _Member(_is_iri),
        "name": _Member(_is_text),
        "description": _Member(_is_text),
        "narrative": _Member(_is_text),
    },
}
