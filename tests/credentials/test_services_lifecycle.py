"""Suspending, reinstating, revoking: events with who and why, told to the learner's progress."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from apps.cohorts.events import EventType
from apps.contacts.models import AdminAction
from apps.contacts.services import merge_contacts
from apps.credentials.models import AwardHold, CertificationAward
from apps.credentials.services import (
    AwardStateConflict,
    OwnAward,
    open_hold,
    reinstate_award,
    revoke_award,
    suspend_award,
)
from apps.credentials.vocabulary import AwardState
from apps.requirements.services import ReasonMissing
from tests.cohorts.factories import NOON, event_types, person
from tests.credentials.factories import World, event_line, world

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
Change = Callable[..., CertificationAward]


@pytest.fixture
def it() -> World:
    return world()


def state(award: CertificationAward, at: Any = NOON) -> str:
    return CertificationAward.objects.with_state(at).get(pk=award.pk).state


def told(it: World) -> list[str]:
    return [type_ for type_ in event_types(it.enrollment) if type_.startswith("credential_")]


def test_an_award_is_suspended_reinstated_and_revoked(it: World) -> None:
    award = it.awarded()
    by = {"award": award, "actor": it.registrar, "at": NOON}

    assert suspend_award(reason="Under review", **by).state == AwardState.SUSPENDED
    assert reinstate_award(reason="Cleared", **by).state == AwardState.ACTIVE
    assert revoke_award(reason="Copied", **by).state == AwardState.REVOKED

    assert event_line(award) == ["issued", "suspended", "reinstated", "revoked"]
    assert told(it) == [
        EventType.CREDENTIAL_ISSUED,
        EventType.CREDENTIAL_SUSPENDED,
        EventType.CREDENTIAL_REINSTATED,
        EventType.CREDENTIAL_REVOKED,
    ]
    actions = AdminAction.objects.filter(action__startswith="award.").order_by("recorded_at")
    assert [(a.action, a.actor, a.details.get("reason")) for a in actions] == [
        ("award.granted", it.registrar, ""),
        ("award.suspended", it.registrar, "Under review"),
        ("award.reinstated", it.registrar, "Cleared"),
        ("award.revoked", it.registrar, "Copied"),
    ]


def test_revoke_award_marks_the_row(it: World) -> None:
    award = it.awarded()

    revoke_award(award=award, actor=it.registrar, reason="Copied", at=NOON + DAY)

    award.refresh_from_db()
    assert award.revoked_at == NOON + DAY


@pytest.mark.parametrize("change", [suspend_award, reinstate_award, revoke_award])
def test_a_change_without_a_reason_is_refused(it: World, change: Change) -> None:
    award = it.awarded()

    with pytest.raises(ReasonMissing):
        change(award=award, actor=it.registrar, reason="  ", at=NOON)
    assert event_line(award) == ["issued"]


@pytest.mark.parametrize("change", [suspend_award, reinstate_award, revoke_award])
def test_a_change_of_ones_own_award_is_refused_under_any_alias(it: World, change: Change) -> None:
    award = it.awarded()
    alias = person("Adas-alias")
    merge_contacts(source=alias, into=it.enrollment.contact, actor=None)
    alias.refresh_from_db()

    for actor in (it.enrollment.contact, alias):
        with pytest.raises(OwnAward):
            change(award=award, actor=actor, reason="Because", at=NOON)
    assert event_line(award) == ["issued"]


def test_only_what_is_suspended_is_reinstated(it: World) -> None:
    award = it.awarded()

    with pytest.raises(AwardStateConflict) as refused:
        reinstate_award(award=award, actor=it.registrar, reason="Because", at=NOON)
    assert refused.value.extensions == {"state": "active"}


@pytest.mark.parametrize("change", [suspend_award, reinstate_award, revoke_award])
def test_nothing_happens_to_a_revoked_award(it: World, change: Change) -> None:
    award = it.awarded()
    revoke_award(award=award, actor=it.registrar, reason="Copied", at=NOON)

    with pytest.raises(AwardStateConflict):
        change(award=award, actor=it.registrar, reason="Because", at=NOON)
    assert event_line(award) == ["issued", "revoked"]


def test_an_expired_award_can_be_revoked_but_not_suspended() -> None:
    it = world(validity_days=10)
    award = it.awarded()
    later = NOON + 11 * DAY
    assert state(award, later) == AwardState.EXPIRED

    with pytest.raises(AwardStateConflict):
        suspend_award(award=award, actor=it.registrar, reason="Late", at=later)
    revoke_award(award=award, actor=it.registrar, reason="Copied", at=later)
    assert state(award, later) == AwardState.REVOKED


def test_revoke_award_resolves_its_open_hold(it: World) -> None:
    award = it.awarded()
    open_hold(
        enrollment=it.enrollment,
        template=it.template,
        actor=it.registrar,
        reason="Anonymous tip",
        at=NOON,
    )

    revoke_award(award=award, actor=it.registrar, reason="Confirmed", at=NOON + DAY)

    hold = AwardHold.objects.get()
    assert (hold.award, hold.resolution, hold.resolution_reason, hold.resolved_by) == (
        award,
        "revoked",
        "Confirmed",
        it.registrar,
    )
