"""The same things done at the same moment, on connections of their own."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest

from apps.cohorts.events import EventType
from apps.cohorts.models import ProgressEvent
from apps.credentials.models import (
    AwardHold,
    CertificationAward,
    CredentialDocument,
    CredentialEvent,
    IssuerKey,
    StatusListEntry,
)
from apps.credentials.services import (
    AwardStateConflict,
    consider_awards,
    ensure_issuer_key,
    grant_award,
    open_hold,
    revoke_award,
    rotate_key,
)
from apps.requirements.services import withdraw_sign_off
from tests.cohorts.factories import NOON
from tests.cohorts.threads import at_once
from tests.credentials.factories import event_line, world

pytestmark = pytest.mark.django_db


def test_eight_grants_at_once_make_one_award(own_database: str) -> None:
    it = world()
    it.meet()
    grant = partial(
        grant_award, enrollment=it.enrollment, template=it.template, actor=it.registrar, at=NOON
    )

    outcomes = at_once(*[grant] * 8)

    award = CertificationAward.objects.get()
    assert [outcome.award for outcome in outcomes] == [award] * 8
    assert sum(outcome.is_new for outcome in outcomes) == 1
    assert event_line(award) == ["issued"]
    assert CredentialDocument.objects.count() == StatusListEntry.objects.count() == 1
    issued = ProgressEvent.objects.filter(type=EventType.CREDENTIAL_ISSUED)
    assert issued.count() == 1


def test_a_person_and_the_pipeline_at_once_make_one_award(own_database: str) -> None:
    it = world()
    it.meet()
    grant = partial(
        grant_award, enrollment=it.enrollment, template=it.template, actor=it.registrar, at=NOON
    )
    consider = partial(consider_awards, it.enrollment.id, at=NOON)

    at_once(*[grant, consider] * 4)

    assert CertificationAward.objects.count() == 1
    assert CredentialEvent.objects.count() == 1


def test_first_awards_of_different_learners_share_one_new_key(own_database: str) -> None:
    it = world()
    worlds = [it, it.another("Bob"), it.another("Cem"), it.another("Dora")]
    for one in worlds:
        one.meet()

    at_once(*[partial(consider_awards, one.enrollment.id, at=NOON) for one in worlds])

    assert CertificationAward.objects.count() == len(worlds)
    key = IssuerKey.objects.get()
    assert set(CredentialDocument.objects.values_list("key", flat=True)) == {key.id}
    places = StatusListEntry.objects.values_list("list_number", "index")
    assert len(set(places)) == len(worlds)


def test_eight_revocations_at_once_are_one(own_database: str) -> None:
    it = world()
    award = it.awarded()
    revoke = partial(revoke_award, award=award, actor=it.registrar, reason="Copied twice", at=NOON)

    outcomes = at_once(*[revoke] * 8)

    assert Counter(type(outcome) for outcome in outcomes) == {
        CertificationAward: 1,
        AwardStateConflict: 7,
    }
    assert event_line(award) == ["issued", "revoked"]


def test_eight_holds_at_once_are_one(own_database: str) -> None:
    it = world()
    hold = partial(
        open_hold,
        enrollment=it.enrollment,
        template=it.template,
        actor=it.registrar,
        reason="Wait",
        at=NOON,
    )

    opened = at_once(*[hold] * 8)

    assert opened == [AwardHold.objects.get()] * 8


def test_an_award_and_the_end_of_its_evidence_never_both_go_unnoticed(own_database: str) -> None:
    it = world()
    it.meet()

    def undo() -> None:
        withdraw_sign_off(
            enrollment=it.enrollment, node=it.node, actor=it.registrar, reason="No", at=NOON
        )
        it.consider()

    outcomes = at_once(undo, partial(consider_awards, it.enrollment.id, at=NOON))

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    awards, holds = CertificationAward.objects.count(), AwardHold.objects.count()
    assert (awards, holds) in {(0, 0), (0, 1), (1, 1)}


def test_keys_made_and_rotated_at_once_leave_one_that_signs(own_database: str) -> None:
    it = world()
    make = partial(ensure_issuer_key, at=NOON)
    made = at_once(*[make] * 8)
    assert made == [IssuerKey.objects.get()] * 8

    rotate = partial(rotate_key, actor=it.registrar, at=NOON)
    rotated = at_once(*[rotate] * 4)

    assert all(isinstance(key, IssuerKey) for key in rotated)
    assert IssuerKey.objects.filter(state="active").count() == 1
