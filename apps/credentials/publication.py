"""What a certification template may say, and what it must say to be published. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.credentials.canonical import is_absolute_iri
from apps.credentials.openbadges import AlignmentSpec

MAX_ALIGNMENTS: Final = 20
MAX_TAGS: Final = 20
MAX_LETTERS: Final = 4
# What neither N-Quads, nor XML, nor a printed page can show.
_NOT_PRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_COLOUR = re.compile(r"#[0-9a-f]{6}\Z")
_ALIGNMENT_TEXTS: Final = {
    "target_name": 200,
    "target_url": 2_000,
    "target_code": 100,
    "target_description": 2_000,
    "target_framework": 200,
}


def validate_colour(value: str) -> None:
    if not _COLOUR.match(value):
        raise ValidationError(_("A colour is written #rrggbb."), code="colour")


def validate_printable(value: str) -> None:
    if _NOT_PRINTABLE.search(value):
        raise ValidationError(_("There are characters that cannot be printed."), code="unprintable")


def validate_tags(value: object) -> None:
    """Raise ValidationError unless it is a list of different short texts."""
    if not isinstance(value, list) or len(value) > MAX_TAGS:
        raise ValidationError(_("A list of at most 20 words."), code="tags")
    for tag in value:
        if not isinstance(tag, str) or not tag.strip() or len(tag) > 100:
            raise ValidationError(_("A tag is a text of at most 100 characters."), code="tags")
        validate_printable(tag)
    if len(set(value)) != len(value):
        raise ValidationError(_("A tag is there twice."), code="tags")


def validate_alignments(value: object) -> None:
    """Raise ValidationError, naming the entry, unless it is a list of alignments."""
    if not isinstance(value, list) or len(value) > MAX_ALIGNMENTS:
        raise ValidationError(_("A list of at most 20 alignments."), code="alignments")
    faults = [
        _("Alignment %(number)d: %(fault)s") % {"number": number, "fault": fault}
        for number, entry in enumerate(value, start=1)
        for fault in _alignment_faults(entry)
    ]
    if faults:
        raise ValidationError(faults, code="alignments")


def _alignment_faults(entry: Any) -> Iterator[str]:
    if not isinstance(entry, Mapping):
        yield _("not an object")
        return
    for name in sorted(set(entry) - set(_ALIGNMENT_TEXTS)):
        yield _("there is no member %(name)s") % {"name": name}
    for name, longest in _ALIGNMENT_TEXTS.items():
        text = entry.get(name, "")
        if not isinstance(text, str) or len(text) > longest or _NOT_PRINTABLE.search(text):
            yield _("%(name)s is not a text of at most %(longest)d characters") % {
                "name": name,
                "longest": longest,
            }
    if not str(entry.get("target_name", "")).strip():
        yield _("target_name is missing")
    url = entry.get("target_url", "")
    if not isinstance(url, str) or not re.match(r"https?://", url) or not is_absolute_iri(url):
        yield _("target_url is not an address on the web")


def alignment_specs(value: list[Mapping[str, str]]) -> tuple[AlignmentSpec, ...]:
    """Return valid alignments as the credential states them."""
    return tuple(AlignmentSpec(**dict(entry)) for entry in value)


def printable(text: str) -> str:
    """Return the text in one line, without what cannot be printed."""
    return " ".join(_NOT_PRINTABLE.sub("", text).split())
