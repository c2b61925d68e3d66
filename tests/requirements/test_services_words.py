from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from apps.cohorts.services.progress import ADVANCE
from apps.contacts.models import AdminAction, Contact
from apps.contacts.services import merge_contacts
from apps.core.models import OutboxMessage
from apps.requirements.models import RequirementNode, SignOff, Waiver
from apps.requirements.services import (
    NotRequired,
    NotSignedOff,
    NotWaived,
    OwnWork,
    ReasonMissing,
    evaluate_enrollment,
    sign_off,
    waive,
    withdraw_sign_off,
    withdraw_waiver,
)
from apps.requirements.services.waivers import AlreadyExpired
from tests.assessment.factories import Scene, scene
from tests.cohorts.factories import NOON, person
from tests.programs.factories import published_program
from tests.requirements.factories import DAY, program_of, published_set
from tests.requirements.graphs import group, member, signoff

pytestmark = pytest.mark.django_db

Word = Callable[..., Any]


@pytest.fixture
def stage() -> Scene:
    stage = scene()
    published_set(program_of(stage.enrollment), signoff("lab"), group("g"), member("lab", "g"))
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    OutboxMessage.objects.all().delete()
    return stage


def node(key: str = "lab") -> RequirementNode:
    return RequirementNode.objects.get(key=key)


def said(service: Word, stage: Scene, **fields: Any) -> Any:
    return service(
        **{
            "enrollment": stage.enrollment,
            "node": node(),
            "actor": stage.grader,
            "at": NOON,
            "reason": "Seen in the laboratory",
            **fields,
        }
    )


def test_sign_off_is_recorded_once_and_owes_an_evaluation(stage: Scene) -> None:
    first, second = said(sign_off, stage), said(sign_off, stage, at=NOON + DAY)

    assert first == second == SignOff.objects.get()
    assert (first.status, first.actor, first.contact, first.occurred_at) == (
        "given",
        stage.grader,
        stage.learner,
        NOON,
    )
    assert [m.key for m in OutboxMessage.objects.filter(topic=ADVANCE)] == [
        str(stage.enrollment.id)
    ]
    assert AdminAction.objects.get(action="requirements.signoff_given").actor == stage.grader


def test_sign_off_withdrawn_and_given_again_are_three_rows(stage: Scene) -> None:
    said(sign_off, stage)
    said(withdraw_sign_off, stage)
    said(sign_off, stage)

    rows = SignOff.objects.order_by("revision").values_list("revision", "status")
    assert list(rows) == [(1, "given"), (2, "withdrawn"), (3, "given")]


def test_withdraw_sign_off_that_is_not_there_is_refused(stage: Scene) -> None:
    with pytest.raises(NotSignedOff):
        said(withdraw_sign_off, stage)


def test_withdraw_waiver_that_is_not_there_is_refused(stage: Scene) -> None:
    with pytest.raises(NotWaived):
        said(withdraw_waiver, stage)


def test_sign_off_of_something_else_is_refused(stage: Scene) -> None:
    with pytest.raises(NotRequired, match="not met by a sign-off"):
        said(sign_off, stage, node=node("g"))


def test_waive_any_kind_of_requirement(stage: Scene) -> None:
    waiver = said(waive, stage, node=node("g"))

    assert waiver == Waiver.objects.get()


def test_waive_the_same_again_stays_the_first_and_another_reason_is_a_revision(
    stage: Scene,
) -> None:
    first, same = said(waive, stage), said(waive, stage)
    other = said(waive, stage, reason="Recognised diploma")

    assert first == same
    assert (first.revision, other.revision) == (1, 2)


def test_waive_for_a_time_owes_an_evaluation_when_it_expires(stage: Scene) -> None:
    said(waive, stage, expires_at=NOON + DAY)

    assert OutboxMessage.objects.filter(topic=ADVANCE, available_at=NOON + DAY).count() == 1


def test_waive_until_before_it_begins_is_refused(stage: Scene) -> None:
    with pytest.raises(AlreadyExpired):
        said(waive, stage, expires_at=NOON - timedelta(seconds=1))


@pytest.mark.parametrize("service", [withdraw_sign_off, waive, withdraw_waiver])
def test_word_without_a_reason_is_refused(stage: Scene, service: Word) -> None:
    with pytest.raises(ReasonMissing) as caught:
        said(service, stage, reason=" \n")

    assert [error["field"] for error in caught.value.errors] == ["reason"]


ALL = [sign_off, withdraw_sign_off, waive, withdraw_waiver]


@pytest.mark.parametrize("service", ALL)
def test_word_about_oneself_is_refused(stage: Scene, service: Word) -> None:
    with pytest.raises(OwnWork):
        said(service, stage, actor=stage.learner)


@pytest.mark.parametrize("service", ALL)
def test_word_about_oneself_under_an_alias_is_refused(stage: Scene, service: Word) -> None:
    alias: Contact = person("Augusta")
    merge_contacts(source=alias, into=stage.learner, actor=None)

    with pytest.raises(OwnWork):
        said(service, stage, actor=alias)


@pytest.mark.parametrize("service", ALL)
def test_word_about_what_is_not_required_is_refused(stage: Scene, service: Word) -> None:
    foreign = published_set(published_program(slug="other").definition, signoff("x"), slug="other")

    with pytest.raises(NotRequired):
        said(partial(service), stage, node=foreign.nodes.get())
