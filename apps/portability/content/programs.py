"""Programs, their requirements and what they award, in a package."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Pin:
    """A course of the program, at the version that stands in the package."""

    course: str
    position: int
    is_required: bool = True


@dataclass(frozen=True)
class ProgramContent:
    description: str = ""
    courses: tuple[Pin, ...] = ()


@dataclass(frozen=True)
class Program:
    slug: str
    title: str
    origin: str
    content: ProgramContent
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Node:
    """One requirement. `credential_program` may name a program that is not in the package."""

    key: str
    kind: str
    title: str
    position: int = 1
    course: str | None = None
    module_key: str = ""
    item_key: str = ""
    assessment: str | None = None
    min_percent: Decimal | None = None
    attendance_count: int | None = None
    attendance_percent: Decimal | None = None
    signoff_capability: str = ""
    credential_program: str | None = None
    group_min_count: int | None = None
    group_min_credits: Decimal | None = None
    credits: Decimal | None = None
    deadline_days: int | None = None
    deadline_on: date | None = None
    retention: str = "sticky"
    is_root: bool = False


@dataclass(frozen=True)
class Edge:
    source: str
    target: str
    kind: str
    condition: str = "satisfied"
    threshold: Decimal | None = None


@dataclass(frozen=True)
class RequirementsContent:
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()


@dataclass(frozen=True)
class RequirementSet:
    slug: str
    title: str
    origin: str
    program: str
    purpose: str
    content: RequirementsContent


@dataclass(frozen=True, kw_only=True)
class CertificationContent:
    """What the credential says. `requirement_set` is the slug of the set that earns it."""

    name: str
    description: str
    criteria_markdown: str
    requirement_set: str
    award_mode: str = "automatic"
    validity_days: int | None = None
    alignments: tuple[dict[str, Any], ...] = ()
    tags: tuple[str, ...] = ()
    badge_letters: str = ""
    badge_background: str = "#1f3a5f"
    badge_foreground: str = "#ffffff"


@dataclass(frozen=True, kw_only=True)
class Certification:
    slug: str
    title: str
    origin: str
    program: str
    content: CertificationContent
    type: str = "certificate"
