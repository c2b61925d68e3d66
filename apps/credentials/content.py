"""What a credential states, read for people. Any shape is survived; nothing is believed. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.credentials.timestamps import TimestampInvalid, parse_timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedContent:
    """The statements of a credential; a text that is missing is empty.

    `image` is an address (https: or data:), `criteria` Markdown.
    """

    id: str = ""
    name: str = ""
    description: str = ""
    achievement_id: str = ""
    achievement_type: str = ""
    criteria: str = ""
    image: str = ""
    holder: str = ""
    number: str = ""
    issuer_id: str = ""
    issuer_name: str = ""
    issuer_url: str = ""
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    evidence_ids: tuple[str, ...] = ()
    alignments: tuple[tuple[str, str], ...] = ()
    tags: tuple[str, ...] = ()


def signed_content(document: Mapping[str, Any]) -> SignedContent:
    """Return what an Open Badges credential says."""
    subject = _object(document.get("credentialSubject"))
    achievement = _object(subject.get("achievement"))
    issuer = document.get("issuer")
    profile = _object(issuer)
    return SignedContent(
        id=_text(document.get("id")),
        name=_text(achievement.get("name")) or _text(document.get("name")),
        description=_text(achievement.get("description")) or _text(document.get("description")),
        achievement_id=_text(achievement.get("id")),
        achievement_type=_text(achievement.get("achievementType")),
        criteria=_text(_object(achievement.get("criteria")).get("narrative")),
        image=_text(_object(achievement.get("image")).get("id")),
        holder=_holder(subject),
        number=_text(subject.get("licenseNumber")),
        issuer_id=_text(issuer) or _text(profile.get("id")),
        issuer_name=_text(profile.get("name")),
        issuer_url=_text(profile.get("url")),
        issued_at=_moment(document.get("validFrom")),
        expires_at=_moment(document.get("validUntil")),
        evidence_ids=tuple(
            _text(entry.get("id")) for entry in _objects(document.get("evidence")) if "id" in entry
        ),
        alignments=tuple(
            (_text(entry.get("targetName")), _text(entry.get("targetUrl")))
            for entry in _objects(achievement.get("alignment"))
        ),
        tags=tuple(tag for tag in map(_text, _listed(achievement.get("tag"))) if tag),
    )


def _holder(subject: Mapping[str, Any]) -> str:
    """Return the holder's name, if the credential states it in plain text."""
    for identity in _objects(subject.get("identifier")):
        if identity.get("identityType") == "name" and identity.get("hashed") is not True:
            return _text(identity.get("identityHash"))
    return _text(subject.get("name"))


def _text(value: Any) -> str:
    """Return a text, or the text of a value with its language."""
    if isinstance(value, Mapping):
        value = value.get("@value")
    return value if isinstance(value, str) else ""


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    return (entry for entry in _listed(value) if isinstance(entry, Mapping))


def _moment(value: Any) -> datetime | None:
    try:
        return parse_timestamp(value)
    except TimestampInvalid:
        return None
