from __future__ import annotations

import pytest

from apps.cohorts.services.progress import ADVANCE
from apps.contacts.models import AdminAction
from apps.core.models import OutboxMessage
from apps.credentials.models import AwardHold
from apps.credentials.services import (
    AwardIsMade,
    HoldResolved,
    OwnAward,
    open_hold,
    resolve_hold,
    revoke_award,
)
from apps.credentials.vocabulary import HoldResolution
from apps.requirements.services import ReasonMissing
from tests.cohorts.factories import NOON
from tests.credentials.factories import World, world

pytestmark = pytest.mark.django_db


@pytest.fixture
def it() -> World:
    return world()


def held(it: World, reason: str = "Asked") -> AwardHold:
    return open_hold(
        enrollment=it.enrollment,
        template=it.template,
        actor=it.registrar,
        reason=reason,
        at=NOON,
    )


def resolved(it: World, hold: AwardHold, resolution: str = HoldResolution.RELEASED) -> AwardHold:
    return resolve_hold(
        hold=hold, actor=it.registrar, resolution=resolution, reason="Looked at", at=NOON
    )


def test_open_hold_twice_is_one_hold(it: World) -> None:
    first = held(it, "First")

    assert held(it, "Second") == first
    assert AwardHold.objects.get().reason == "First"
    assert AdminAction.objects.filter(action="awardhold.opened").count() == 1


def test_open_hold_finds_the_award_that_it_is_about(it: World) -> None:
    award = it.awarded()

    assert held(it).award == award


def test_open_hold_needs_a_reason_and_somebody_else(it: World) -> None:
    with pytest.raises(ReasonMissing):
        held(it, " ")
    with pytest.raises(OwnAward):
        open_hold(
            enrollment=it.enrollment,
            template=it.template,
            actor=it.enrollment.contact,
            reason="Wait",
            at=NOON,
        )


def test_resolve_hold_is_on_record_and_owes_the_learner_a_step(it: World) -> None:
    hold = held(it)
    OutboxMessage.objects.all().delete()

    hold = resolved(it, hold)

    assert (hold.resolved_at, hold.resolved_by, hold.resolution, hold.resolution_reason) == (
        NOON,
        it.registrar,
        "released",
        "Looked at",
    )
    assert OutboxMessage.objects.get().topic == ADVANCE
    assert AdminAction.objects.get(action="awardhold.released").entity_id == hold.id


def test_resolve_hold_twice_is_refused(it: World) -> None:
    hold = held(it)
    resolved(it, hold)

    with pytest.raises(HoldResolved):
        resolved(it, hold, HoldResolution.REFUSED)


def test_resolve_hold_on_oneself_is_refused(it: World) -> None:
    hold = held(it)

    with pytest.raises(OwnAward):
        resolve_hold(
            hold=hold,
            actor=it.enrollment.contact,
            resolution=HoldResolution.RELEASED,
            reason="It's me",
            at=NOON,
        )


def test_resolve_hold_cannot_refuse_an_award_that_is_made(it: World) -> None:
    it.awarded()
    hold = held(it)

    with pytest.raises(AwardIsMade):
        resolved(it, hold, HoldResolution.REFUSED)


def test_a_hold_after_a_revocation_is_about_no_award(it: World) -> None:
    award = it.awarded()
    revoke_award(award=award, actor=it.registrar, reason="Copied", at=NOON)

    hold = held(it)

    assert hold.award is None
    assert resolved(it, hold, HoldResolution.REFUSED).resolution == "refused"
