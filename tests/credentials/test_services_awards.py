"""Awards are made on agreement, once; a disagreement waits for a person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.assessment.services import void_attempt
from apps.cohorts.events import EventType
from apps.cohorts.models import CohortEnrollment, EnrollmentState, ProgressEvent
from apps.cohorts.services import enroll, withdraw
from apps.contacts.models import AdminAction
from apps.contacts.services import merge_contacts
from apps.core.clock import now
from apps.core.models import OutboxMessage
from apps.core.versions import new_draft, publish, retire
from apps.credentials.models import AwardHold, CertificationAward, CertificationTemplate
from apps.credentials.rules import facts_document, read_facts
from apps.credentials.selectors.verification import verify_award
from apps.credentials.services import (
    EXPIRE,
    ForeignProgram,
    OwnAward,
    RequirementsOpen,
    TemplateNotPublished,
    consider_awards,
    grant_award,
    open_hold,
    record_expiry,
    resolve_hold,
    revoke_award,
)
from apps.credentials.vocabulary import AwardMode, CredentialEventType, HoldCode, HoldResolution
from apps.requirements.facts import facts_hash
from apps.requirements.services import withdraw_sign_off
from tests.assessment.factories import RIGHT
from tests.cohorts.factories import NOON, event_types, open_cohort, person
from tests.credentials.factories import (
    World,
    document_of,
    event_line,
    published_template,
    world,
)
from tests.outbox import drain
from tests.requirements.factories import evaluation_of

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def it() -> World:
    return world()


def holds(it: World) -> list[tuple[str, bool]]:
    """Return (code, is about an award) of the enrolment's holds, in order."""
    found = AwardHold.objects.filter(enrollment=it.enrollment).order_by("opened_at", "id")
    return [(hold.code, hold.award_id is not None) for hold in found]


# --- The pipeline --------------------------------------------------------------------------------
def test_the_pipeline_awards_once_everything_is_met(it: World) -> None:
    it.pass_quiz()
    drain()
    assert not CertificationAward.objects.exists()

    it.sign(at=now())
    drain()

    award = CertificationAward.objects.get()
    assert (award.enrollment, award.template_version, award.granted_by) == (
        it.enrollment,
        it.version,
        None,
    )
    assert event_line(award) == [CredentialEventType.ISSUED]
    assert event_types(it.enrollment)[-1] == EventType.CREDENTIAL_ISSUED
    verdict = verify_award(award.id, at=now())
    assert verdict is not None
    assert verdict.state == "valid"


def test_consider_awards_again_does_nothing(it: World) -> None:
    it.meet()
    [outcome] = consider_awards(it.enrollment.id, at=NOON)

    assert consider_awards(it.enrollment.id, at=NOON + DAY) == []
    assert CertificationAward.objects.get() == outcome.award


def test_consider_awards_leaves_open_what_is_not_met(it: World) -> None:
    it.pass_quiz()
    it.evaluate()

    assert consider_awards(it.enrollment.id, at=NOON) == []
    assert holds(it) == []


def test_consider_awards_leaves_manual_templates_to_people() -> None:
    it = world(award_mode=AwardMode.MANUAL)
    it.meet()

    assert consider_awards(it.enrollment.id, at=NOON) == []
    outcome = grant_award(
        enrollment=it.enrollment, template=it.template, actor=it.registrar, at=NOON
    )
    assert outcome.is_new


def test_consider_awards_ignores_drafts_archived_and_retired_templates(it: World) -> None:
    retire(version=it.version, actor=it.registrar, at=NOON)
    archived = published_template(it.requirements, slug="archived").definition
    CertificationTemplate.objects.filter(pk=archived.pk).update(archived_at=NOON)
    it.meet()

    assert consider_awards(it.enrollment.id, at=NOON) == []


def test_consider_awards_awards_every_template_of_the_set(it: World) -> None:
    badge = published_template(it.requirements, slug="badge").definition
    it.meet()

    outcomes = consider_awards(it.enrollment.id, at=NOON)

    assert {o.award.template for o in outcomes if o.award} == {it.template, badge}


def test_consider_awards_does_not_award_again_what_was_revoked(it: World) -> None:
    award = it.awarded()
    revoke_award(award=award, actor=it.registrar, reason="Copied", at=NOON)

    assert consider_awards(it.enrollment.id, at=NOON + DAY) == []
    assert CertificationAward.objects.get() == award


# --- What is written -----------------------------------------------------------------------------
def test_grant_award_keeps_the_decision_with_its_facts(it: World) -> None:
    it.meet()

    award = it.awarded(at=NOON + timedelta(microseconds=7))

    evaluation = evaluation_of(it.enrollment, "all")
    facts = read_facts(award.facts)
    assert (award.evaluation, award.evaluation_status) == (evaluation, "satisfied")
    assert award.issued_at == NOON
    assert award.facts_hash == facts_hash(facts_document(facts))
    assert (facts.set_version, facts.stands, facts.confirmed_status, facts.differences) == (
        it.requirements.id,
        True,
        "satisfied",
        (),
    )
    assert [known.attempt for known in facts.results] == [
        attempt.id for attempt in it.enrollment.attempts.order_by("id")
    ]


def test_grant_award_by_a_person_is_on_record(it: World) -> None:
    it.meet()
    outcome = grant_award(
        enrollment=it.enrollment,
        template=it.template,
        actor=it.registrar,
        reason=" Board of 2 March ",
        at=NOON,
    )

    assert outcome.award is not None
    assert (outcome.award.granted_by, outcome.award.reason) == (it.registrar, "Board of 2 March")
    action = AdminAction.objects.get(action="award.granted")
    assert (action.actor, action.entity_id) == (it.registrar, outcome.award.id)


def test_grant_award_prints_the_legal_name(it: World) -> None:
    learner = it.enrollment.contact
    learner.legal_name = " Augusta Ada\nKing "
    learner.save()

    award = it.awarded()

    assert award.legal_name == "Augusta Ada King"
    assert document_of(award)["credentialSubject"]["identifier"][0] == {
        "type": "IdentityObject",
        "hashed": False,
        "identityHash": "Augusta Ada King",
        "identityType": "name",
    }


def test_grant_award_with_a_validity_owes_its_end() -> None:
    it = world(validity_days=365)
    award = it.awarded()

    owed = OutboxMessage.objects.get(topic=EXPIRE)
    assert award.expires_at == NOON + 365 * DAY
    assert (owed.key, owed.available_at) == (str(award.id), award.expires_at)
    told = ProgressEvent.objects.get(type=EventType.CREDENTIAL_ISSUED)
    assert told.payload == {
        "program": str(it.template.program_id),
        "certificate_number": award.certificate_number,
        "expires_at": award.expires_at.isoformat(),
    }


def test_record_expiry_records_the_end_once() -> None:
    it = world(validity_days=10)
    award = it.awarded()

    record_expiry(award.id, at=NOON + 9 * DAY)
    record_expiry(award.id, at=NOON + 11 * DAY)
    record_expiry(award.id, at=NOON + 12 * DAY)

    assert event_line(award) == ["issued", "expired"]
    assert award.events.get(type="expired").occurred_at == NOON + 10 * DAY


def test_record_expiry_of_a_revoked_award_records_nothing() -> None:
    it = world(validity_days=10)
    award = it.awarded()
    revoke_award(award=award, actor=it.registrar, reason="Copied", at=NOON)

    record_expiry(award.id, at=NOON + 11 * DAY)

    assert event_line(award) == ["issued", "revoked"]


def test_grant_award_uses_the_newest_published_version(it: World) -> None:
    draft = new_draft(definition=it.template, actor=None, at=NOON)
    draft.name = "Renamed"
    draft.save()
    second = publish(version=draft, actor=None, at=NOON)

    award = it.awarded()

    assert award.template_version == second
    assert document_of(award)["name"] == "Renamed"


# --- Refusals ------------------------------------------------------------------------------------
def test_grant_award_twice_keeps_one_award_and_one_event(it: World) -> None:
    first = it.awarded()

    again = grant_award(
        enrollment=it.enrollment, template=it.template, actor=it.registrar, at=NOON + DAY
    )

    assert (again.award, again.is_new) == (first, False)
    assert event_types(it.enrollment).count(EventType.CREDENTIAL_ISSUED) == 1


def test_grant_award_while_a_requirement_is_open_is_refused(it: World) -> None:
    it.pass_quiz()
    it.evaluate()

    with pytest.raises(RequirementsOpen):
        grant_award(enrollment=it.enrollment, template=it.template, actor=it.registrar, at=NOON)


def test_grant_award_to_oneself_is_refused_under_any_alias(it: World) -> None:
    it.meet()
    alias = person("Adas-alias")
    merge_contacts(source=alias, into=it.enrollment.contact, actor=None)
    alias.refresh_from_db()

    for actor in (it.enrollment.contact, alias):
        with pytest.raises(OwnAward):
            grant_award(enrollment=it.enrollment, template=it.template, actor=actor, at=NOON)
    assert not CertificationAward.objects.exists()


def test_grant_award_of_another_program_is_refused(it: World) -> None:
    it.meet()
    elsewhere = open_cohort(slug="elsewhere")
    learner = enroll(cohort=elsewhere, contact=person("Eve"), actor=None, at=NOON)

    with pytest.raises(ForeignProgram):
        grant_award(enrollment=learner, template=it.template, actor=it.registrar, at=NOON)


def test_grant_award_of_a_retired_version_is_refused(it: World) -> None:
    it.meet()
    retire(version=it.version, actor=it.registrar, at=NOON)

    with pytest.raises(TemplateNotPublished):
        grant_award(enrollment=it.enrollment, template=it.template, actor=it.registrar, at=NOON)


# --- Later awards follow earlier ones ------------------------------------------------------------
def test_grant_award_after_a_revocation_replaces_the_revoked_one(it: World) -> None:
    first = it.awarded()
    revoke_award(award=first, actor=it.registrar, reason="Misspelt name", at=NOON)

    again = grant_award(
        enrollment=it.enrollment, template=it.template, actor=it.registrar, at=NOON + DAY
    ).award

    assert again is not None
    assert again.replaces == first
    assert event_line(first) == ["issued", "revoked"]
    assert again.certificate_number != first.certificate_number


def test_an_award_of_a_later_enrollment_renews_the_earlier_one() -> None:
    it = world(validity_days=365)
    first = it.awarded()
    withdraw(enrollment=it.enrollment, actor=it.registrar, at=NOON)
    again = enroll(cohort=it.scene.cohort, contact=it.enrollment.contact, actor=None, at=NOON + DAY)

    second = it.of(again).awarded(at=NOON + 2 * DAY)

    assert second.replaces == first
    assert event_line(first) == ["issued", "renewed"]
    assert CertificationAward.objects.live().count() == 2


def test_an_award_tells_the_learners_other_enrollments(it: World) -> None:
    elsewhere = open_cohort(slug="elsewhere")
    other = enroll(cohort=elsewhere, contact=it.enrollment.contact, actor=None, at=NOON)
    it.meet()
    OutboxMessage.objects.all().delete()

    it.consider()

    owed = set(OutboxMessage.objects.values_list("topic", "key"))
    assert owed == {
        ("learner.advance", str(other.id)),
        ("learner.advance", str(it.enrollment.id)),
    }


# --- Holds on agreement --------------------------------------------------------------------------
def tampered(it: World) -> None:
    """Plant a grade that no answer earned, as the application itself still could."""
    from_nowhere = it.enrollment.attempts.get().responses.get(item__key="pi")
    from_nowhere.value = "2.71"
    from_nowhere.save(update_fields=["value"])


def test_consider_awards_holds_when_results_do_not_replay(it: World) -> None:
    it.meet()
    tampered(it)

    [outcome] = consider_awards(it.enrollment.id, at=NOON)
    consider_awards(it.enrollment.id, at=NOON + DAY)

    assert outcome.award is None
    assert holds(it) == [(HoldCode.RESULTS_DISAGREE, False)]
    [difference] = outcome.hold.details["differences"]
    assert (difference["check"], difference["stored"], difference["replayed"]) == (
        "answer",
        "3.14",
        "2.71",
    )


def test_grant_award_holds_too_and_tells_so(it: World) -> None:
    it.meet()
    tampered(it)

    outcome = grant_award(
        enrollment=it.enrollment, template=it.template, actor=it.registrar, at=NOON
    )

    assert (outcome.award, outcome.hold) == (None, AwardHold.objects.get())
    assert not CertificationAward.objects.exists()


def test_a_released_hold_is_held_again_while_the_disagreement_lasts(it: World) -> None:
    it.meet()
    tampered(it)
    [outcome] = consider_awards(it.enrollment.id, at=NOON)
    resolve_hold(
        hold=outcome.hold,
        actor=it.registrar,
        resolution=HoldResolution.RELEASED,
        reason="Looks fine to me",
        at=NOON,
    )

    consider_awards(it.enrollment.id, at=NOON + DAY)

    assert holds(it) == [(HoldCode.RESULTS_DISAGREE, False)] * 2
    assert not CertificationAward.objects.exists()


def test_a_manual_hold_keeps_the_award_back_until_it_is_released(it: World) -> None:
    hold = open_hold(
        enrollment=it.enrollment,
        template=it.template,
        actor=it.registrar,
        reason="Identity not checked yet",
        at=NOON,
    )
    it.meet()
    assert consider_awards(it.enrollment.id, at=NOON) == []

    resolve_hold(
        hold=hold,
        actor=it.registrar,
        resolution=HoldResolution.RELEASED,
        reason="Passport seen",
        at=NOON,
    )

    [outcome] = consider_awards(it.enrollment.id, at=NOON)
    assert outcome.award == CertificationAward.objects.get()


def test_a_refused_award_is_left_to_people(it: World) -> None:
    it.meet()
    hold = open_hold(
        enrollment=it.enrollment,
        template=it.template,
        actor=it.registrar,
        reason="Misconduct",
        at=NOON,
    )
    resolve_hold(
        hold=hold,
        actor=it.registrar,
        resolution=HoldResolution.REFUSED,
        reason="Board",
        at=NOON,
    )

    assert consider_awards(it.enrollment.id, at=NOON) == []
    assert grant_award(
        enrollment=it.enrollment, template=it.template, actor=it.registrar, at=NOON
    ).is_new


# --- Holds on awards that are made ---------------------------------------------------------------
def test_voiding_a_result_holds_the_award_and_does_not_revoke_it(it: World) -> None:
    attempt = it.meet()
    it.consider()
    void_attempt(attempt_id=attempt.id, actor=it.registrar, reason="Copied", at=NOON)

    it.consider(at=NOON + DAY)
    it.consider(at=NOON + 2 * DAY)

    assert holds(it) == [(HoldCode.EVIDENCE_CHANGED, True)]
    award = CertificationAward.objects.with_state(NOON + DAY).get()
    assert award.state == "active"
    assert AwardHold.objects.get().evaluation == evaluation_of(it.enrollment, "all")


def test_withdrawing_a_sign_off_holds_the_award(it: World) -> None:
    it.awarded()
    withdraw_sign_off(
        enrollment=it.enrollment, node=it.node, actor=it.registrar, reason="Mistake", at=NOON
    )

    it.consider(at=NOON + DAY)

    assert holds(it) == [(HoldCode.EVIDENCE_CHANGED, True)]


def test_new_evidence_in_place_of_what_fell_away_holds_the_award_too(it: World) -> None:
    attempt = it.meet()
    it.consider()
    void_attempt(attempt_id=attempt.id, actor=it.registrar, reason="Copied", at=NOON)
    it.scene.graded(RIGHT)

    it.consider(at=NOON + DAY)

    assert evaluation_of(it.enrollment, "all").status == "satisfied"
    assert holds(it) == [(HoldCode.EVIDENCE_CHANGED, True)]


def test_a_released_hold_on_an_award_is_not_raised_again_for_the_same_change(it: World) -> None:
    it.awarded()
    withdraw_sign_off(
        enrollment=it.enrollment, node=it.node, actor=it.registrar, reason="Mistake", at=NOON
    )
    it.consider(at=NOON + DAY)
    resolve_hold(
        hold=AwardHold.objects.get(),
        actor=it.registrar,
        resolution=HoldResolution.RELEASED,
        reason="Signed by the deputy",
        at=NOON + DAY,
    )

    it.consider(at=NOON + 2 * DAY)
    assert len(holds(it)) == 1

    it.sign(at=NOON + 3 * DAY)
    it.consider(at=NOON + 3 * DAY)
    assert len(holds(it)) == 2


def test_a_better_second_attempt_does_not_disturb_the_award(it: World) -> None:
    it.meet()
    it.consider()
    it.scene.graded(RIGHT)

    it.consider(at=NOON + DAY)

    assert holds(it) == []


def test_a_withdrawn_learner_keeps_the_award(it: World) -> None:
    it.meet()
    it.consider()
    withdraw(enrollment=it.enrollment, actor=it.registrar, at=NOON)

    it.consider(at=NOON + DAY)

    assert CohortEnrollment.objects.get().state == EnrollmentState.WITHDRAWN
    assert CertificationAward.objects.live().count() == 1
    assert holds(it) == []


def test_the_end_of_validity_is_recorded_when_it_is_due() -> None:
    it = world(validity_days=10)
    award = it.awarded()

    drain(EXPIRE)

    assert event_line(award) == ["issued", "expired"]
    assert event_types(it.enrollment)[-1] == EventType.CREDENTIAL_EXPIRED
    assert not OutboxMessage.objects.filter(topic=EXPIRE).exists()
