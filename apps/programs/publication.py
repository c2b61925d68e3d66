"""What a course or a program must be before it may be published. Pure: specs in, problems out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from apps.core.versions import PublicationProblem

WEB_SCHEMES = ("http", "https")


@dataclass(frozen=True)
class ModuleSpec:
    """One module, as far as publication cares."""

    key: str
    position: int


@dataclass(frozen=True)
class ItemSpec:
    """One item, as far as publication cares; `module` is the key of its module."""

    key: str
    module: str
    type: str
    position: int
    is_required: bool
    url: str


@dataclass(frozen=True)
class PinSpec:
    """One course of a program; `is_published` tells of the version that it pins."""

    key: str
    position: int
    is_published: bool


def course_problems(
    modules: Sequence[ModuleSpec], items: Sequence[ItemSpec]
) -> list[PublicationProblem]:
    """Return everything that forbids publishing a course version, in reading order.

    A course needs a required item: percent complete is a share of the required items, and a share
    of none is not a number.
    """
    problems: list[PublicationProblem] = []
    if not items:
        problems.append(PublicationProblem("no-items", "The course has no item yet."))
    elif not any(item.is_required for item in items):
        problems.append(
            PublicationProblem(
                "no-required-item", "No item is required, so nobody could complete the course."
            )
        )
    problems += _repeated_positions((module.key, module.position) for module in modules)
    for module in modules:
        problems += _repeated_positions(
            (item.key, item.position) for item in items if item.module == module.key
        )
    problems += [
        PublicationProblem(
            "url-missing", f"“{item.key}” is external and needs an http or https address.", item.key
        )
        for item in items
        if item.type == "external" and not is_web_address(item.url)
    ]
    return problems


def program_problems(pins: Sequence[PinSpec]) -> list[PublicationProblem]:
    """Return everything that forbids publishing a program version, in reading order."""
    problems: list[PublicationProblem] = []
    if not pins:
        problems.append(PublicationProblem("no-courses", "The program has no course yet."))
    problems += _repeated_positions((pin.key, pin.position) for pin in pins)
    problems += [
        PublicationProblem(
            "course-not-published",
            f"“{pin.key}” pins a course version that is not published.",
            pin.key,
        )
        for pin in pins
        if not pin.is_published
    ]
    return problems


def is_web_address(url: str) -> bool:
    """Return whether a browser may be sent to `url`: http or https, with a host, no credentials."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return parts.scheme in WEB_SCHEMES and bool(host) and "@" not in parts.netloc


def _repeated_positions(placed: Iterable[tuple[str, int]]) -> list[PublicationProblem]:
    """Name each part that stands where an earlier one already stands."""
    first: dict[int, str] = {}
    problems: list[PublicationProblem] = []
    for key, position in placed:
        earlier = first.setdefault(position, key)
        if earlier != key:
            message = f"“{key}” has the same position ({position}) as “{earlier}”."
            problems.append(PublicationProblem("position-taken", message, key))
    return problems
