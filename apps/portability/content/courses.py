"""A course in a package."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Placement:
    """Which edition of which assessment an item stands for."""

    slug: str
    edition: int = 1


@dataclass(frozen=True)
class Item:
    """One item of a module. In a package its text is a file of its own."""

    key: str
    title: str
    position: int
    type: str = "lesson"
    is_required: bool = True
    body_markdown: str = ""
    url: str = ""
    estimated_minutes: int | None = None
    assessment: Placement | None = None


@dataclass(frozen=True)
class Module:
    key: str
    title: str
    position: int
    items: tuple[Item, ...] = ()


@dataclass(frozen=True)
class CourseContent:
    """What a version of the course says."""

    summary: str = ""
    modules: tuple[Module, ...] = ()


@dataclass(frozen=True)
class Course:
    """A course; `origin` tells whose course of this slug it is."""

    slug: str
    title: str
    origin: str
    content: CourseContent
    description: str = ""
