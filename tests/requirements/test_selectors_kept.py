"""What a process keeps: frozen values, by organisation, once they are committed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.core.tenancy import tenant_context
from apps.core.versions import publish
from apps.organizations.models import Organization
from apps.requirements.models import RequirementSetVersion
from apps.requirements.selectors.kept import Kept, Loaded
from apps.requirements.selectors.versions import set_versions
from tests.programs.factories import AUTHORED, published_program
from tests.requirements.factories import draft_set, published_set
from tests.requirements.graphs import signoff

ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))


@contextmanager
def undone() -> Iterator[None]:
    """Work in a transaction that is rolled back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class Shelf:
    """Loads names of ids, and counts how often."""

    def __init__(self, *, most: int = 10) -> None:
        self.kept: Kept[str] = Kept(most=most)
        self.asked: list[list[UUID]] = []

    def fetch(self, *ids: UUID) -> dict[UUID, str]:
        return self.kept.fetch(ids, self._load)

    def _load(self, ids: Collection[UUID]) -> Loaded[str]:
        self.asked.append(list(ids))
        return {key: f"value {key.int}" for key in ids}, [key for key in ids if key != THREE]


def test_fetch_loads_what_is_frozen_once(own_database: str) -> None:
    shelf = Shelf()

    assert shelf.fetch(ONE, THREE) == {ONE: "value 1", THREE: "value 3"}
    assert shelf.fetch(ONE, TWO, THREE) == {ONE: "value 1", TWO: "value 2", THREE: "value 3"}
    assert shelf.fetch(ONE, TWO) == {ONE: "value 1", TWO: "value 2"}

    assert shelf.asked == [[ONE, THREE], [TWO, THREE]]


def test_fetch_forgets_the_oldest_when_it_is_full(own_database: str) -> None:
    shelf = Shelf(most=1)
    shelf.fetch(ONE)
    shelf.fetch(TWO)
    shelf.fetch(TWO)
    shelf.fetch(ONE)

    assert shelf.asked == [[ONE], [TWO], [ONE]]


def test_forget_forgets_everything(own_database: str) -> None:
    shelf = Shelf()
    shelf.fetch(ONE)
    shelf.kept.forget()
    shelf.fetch(ONE)

    assert shelf.asked == [[ONE], [ONE]]


def test_fetch_keeps_nothing_of_a_transaction_that_is_undone(own_database: str) -> None:
    shelf = Shelf()
    with undone():
        shelf.fetch(ONE)
    with transaction.atomic():
        shelf.fetch(ONE)
    shelf.fetch(ONE)

    assert shelf.asked == [[ONE], [ONE]]


@pytest.mark.django_db
def test_fetch_answers_no_other_organisation(
    org_b: Organization, django_capture_on_commit_callbacks: Any
) -> None:
    shelf = Shelf()
    with django_capture_on_commit_callbacks(execute=True):
        shelf.fetch(ONE)
    with tenant_context(org_b):
        shelf.fetch(ONE)
    shelf.fetch(ONE)

    assert shelf.asked == [[ONE], [ONE]]


def test_set_versions_follow_a_publication_that_was_undone(own_database: str) -> None:
    draft = draft_set(published_program().definition, signoff("a"))
    with undone():
        publish(version=draft, actor=None, at=AUTHORED)
        assert list(set_versions([draft.id])[draft.id].spec.by_key) == ["a"]
    draft.refresh_from_db()
    draft.nodes.update(key="b")
    published = publish(version=draft, actor=None, at=AUTHORED)

    assert list(set_versions([published.id])[published.id].spec.by_key) == ["b"]


def test_set_versions_cost_nothing_once_they_are_kept(own_database: str) -> None:
    version: RequirementSetVersion = published_set(published_program().definition, signoff("a"))
    first = set_versions([version.id])

    with CaptureQueriesContext(connection) as captured:
        again = set_versions([version.id])

    assert again == first
    assert len(captured) == 0
