"""What the database itself refuses, one test a constraint."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from psycopg import sql

from apps.contacts.models import Contact
from apps.core.versions import new_draft, retire
from apps.credentials.models import (
    AwardHold,
    CertificationAward,
    CertificationTemplate,
    CertificationTemplateVersion,
    CredentialDocument,
    CredentialEvent,
    IssuerKey,
    StatusListEntry,
)
from apps.credentials.services import rotate_key
from apps.requirements.models import RequirementEvaluation
from apps.requirements.services import waive
from tests.cohorts.factories import NOON, person
from tests.credentials.factories import World, published_template, world
from tests.programs.factories import AUTHORED
from tests.requirements.factories import evaluation_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def it() -> World:
    return world()


def refusal(work: Callable[[], Any]) -> str:
    """Return the constraint that refuses the work, or what a trigger says."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        work()
    diagnostics = caught.value.__cause__.diag
    return diagnostics.constraint_name or diagnostics.message_primary


def award_row(it: World, **changes: Any) -> CertificationAward:
    """Insert an award that is right, but for the changes."""
    values = {
        "template": it.template,
        "template_version": it.version,
        "enrollment": it.enrollment,
        "contact_id": it.enrollment.contact_id,
        "certificate_number": "2026-AAAA-BBBB-CCCC",
        "legal_name": "Ada Lovelace",
        "issued_at": NOON,
        "known_at": NOON,
        "facts": {},
        "facts_hash": "0" * 64,
        "engine_version": "1",
        **changes,
    }
    if not {"evaluation", "evaluation_id"} & set(values):
        values["evaluation"] = evaluation_of(it.enrollment, "all")
    return CertificationAward.objects.create(**values)


def waived_evaluation(it: World) -> RequirementEvaluation:
    root = it.requirements.nodes.get(key="all")
    it.evaluate()
    waive(enrollment=it.enrollment, node=root, actor=it.registrar, at=NOON, reason="Board")
    it.evaluate()
    return evaluation_of(it.enrollment, "all")


def test_an_award_without_an_evaluation_is_refused(it: World) -> None:
    reason = refusal(lambda: award_row(it, evaluation_id=None))

    assert reason.startswith('null value in column "evaluation_id"')


def test_an_award_on_an_evaluation_that_is_not_satisfied_is_refused(it: World) -> None:
    waived = waived_evaluation(it)

    name = refusal(lambda: award_row(it, evaluation=waived))

    assert name == "award_rests_on_an_evaluation_of_its_learner"


def test_an_award_that_claims_another_status_is_refused(it: World) -> None:
    waived = waived_evaluation(it)

    name = refusal(lambda: award_row(it, evaluation=waived, evaluation_status="waived"))

    assert name == "award_rests_on_a_satisfied_evaluation"


def test_an_award_on_another_learners_evaluation_is_refused(it: World) -> None:
    it.meet()
    other = it.another("Bob")

    name = refusal(lambda: award_row(other, evaluation=evaluation_of(it.enrollment, "all")))

    assert name == "award_rests_on_an_evaluation_of_its_learner"


def test_an_award_for_another_learners_enrollment_is_refused(it: World) -> None:
    it.meet()
    bobs = it.another("Bob").enrollment

    name = refusal(lambda: award_row(it, enrollment=bobs))

    assert name == "award_enrollment_of_its_learner"


def test_an_award_of_another_templates_version_is_refused(it: World) -> None:
    it.meet()
    other = published_template(it.requirements, slug="other")

    assert refusal(lambda: award_row(it, template_version=other)) == "award_version_of_its_template"


def test_an_award_of_a_draft_is_refused(it: World) -> None:
    it.meet()
    draft = new_draft(definition=it.template, actor=None, at=NOON)

    reason = refusal(lambda: award_row(it, template_version=draft))

    assert reason == "INSERT refused in certification_awards: the template is a draft"


def test_a_second_live_award_is_refused(it: World) -> None:
    it.meet()
    award_row(it)

    name = refusal(
        lambda: award_row(it, certificate_number="2", issued_at=NOON + timedelta(days=1))
    )

    assert name == "award_one_live_per_template_and_enrollment"


def test_a_second_award_of_the_same_moment_is_refused(it: World) -> None:
    it.meet()
    award_row(it, revoked_at=NOON)

    name = refusal(lambda: award_row(it, certificate_number="2"))

    assert name == "award_once_per_template_contact_and_moment"


def test_a_certificate_number_is_given_once(it: World) -> None:
    it.meet()
    award_row(it, revoked_at=NOON)

    name = refusal(lambda: award_row(it, issued_at=NOON + timedelta(days=1)))

    assert name.startswith("certification_awards_certificate_number")


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"legal_name": ""}, "award_is_printable"),
        ({"certificate_number": ""}, "award_is_printable"),
        ({"expires_at": NOON}, "award_expires_after_it_is_issued"),
    ],
)
def test_an_award_that_contradicts_itself_is_refused(
    it: World, changes: dict[str, Any], name: str
) -> None:
    it.meet()

    assert refusal(lambda: award_row(it, **changes)) == name


def test_an_award_to_oneself_is_refused(it: World) -> None:
    it.meet()

    name = refusal(lambda: award_row(it, granted_by=it.enrollment.contact))

    assert name == "award_not_to_oneself"


def test_an_award_replaces_one_of_its_own_template_and_never_itself(it: World) -> None:
    it.meet()
    first = award_row(it, revoked_at=NOON)
    other = published_template(it.requirements, slug="other")

    def second(**changes: Any) -> CertificationAward:
        return award_row(it, certificate_number="2", issued_at=NOON + timedelta(days=1), **changes)

    assert (
        refusal(lambda: second(template=other.definition, template_version=other, replaces=first))
        == "award_replaces_one_of_its_template"
    )
    own = second(replaces=first)
    assert refusal(lambda: _update(own, replaces_id=own.id)).startswith("UPDATE refused")
    third = {"certificate_number": "3", "issued_at": NOON + timedelta(days=2)}
    revoked = CertificationAward.objects.filter(pk=own.pk)
    revoked.update(revoked_at=NOON)
    assert refusal(lambda: award_row(it, replaces=first, **third)).startswith(
        "certification_awards_replaces"
    )


def _update(row: Any, **changes: Any) -> int:
    return type(row)._default_manager.filter(pk=row.pk).update(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"legal_name": "Somebody else"},
        {"certificate_number": "9"},
        {"issued_at": AUTHORED},
        {"expires_at": NOON + timedelta(days=1)},
        {"facts": {"stands": False}},
        {"facts_hash": "f" * 64},
        {"evaluation_status": "waived"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_an_award_says_cannot_be_changed(it: World, changes: dict[str, Any]) -> None:
    award = it.awarded()

    reason = refusal(lambda: _update(award, **changes))

    assert reason == "UPDATE refused in certification_awards: only its lifecycle may change"


def test_a_revocation_is_final(it: World) -> None:
    award = it.awarded()
    _update(award, revoked_at=NOON)

    assert refusal(lambda: _update(award, revoked_at=None)).startswith(
        "UPDATE refused in certification_awards: it is final since"
    )


@pytest.mark.parametrize("model", [CertificationAward, AwardHold, IssuerKey, StatusListEntry])
def test_nothing_is_deleted(it: World, model: Any) -> None:
    it.awarded()

    def delete() -> None:
        with connection.cursor() as cursor:
            table = sql.Identifier(model._meta.db_table)
            cursor.execute(sql.SQL("DELETE FROM {}").format(table))

    assert refusal(delete) == f"permission denied for table {model._meta.db_table}"


def test_deleting_meets_a_second_wall() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, pg_get_triggerdef(t.oid) FROM pg_trigger t"
            " JOIN pg_class c ON c.oid = t.tgrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = current_schema()"
            " AND pg_get_triggerdef(t.oid) LIKE '%credentials_lifecycle(%'"
        )
        found = dict(cursor.fetchall())

    assert sorted(found) == [
        "award_holds",
        "certification_awards",
        "issuer_keys",
        "status_list_entries",
    ]
    assert all("BEFORE DELETE OR UPDATE" in definition for definition in found.values())


# --- Templates -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"award_mode": "whenever"}, "certificationtemplateversion_award_mode_known"),
        ({"validity_days": 0}, "certificationtemplateversion_validity_in_range"),
        ({"badge_background": "red"}, "certificationtemplateversion_colours_written_in_hex"),
        ({"badge_foreground": "#FFF"}, "certificationtemplateversion_colours_written_in_hex"),
    ],
)
def test_a_template_version_out_of_range_is_refused(
    it: World, changes: dict[str, Any], name: str
) -> None:
    draft = new_draft(definition=it.template, actor=None, at=NOON)

    assert refusal(lambda: _update(draft, **changes)) == name


def test_a_template_of_an_unknown_type_is_refused(it: World) -> None:
    name = refusal(
        lambda: CertificationTemplate.objects.create(
            slug="x", title="X", type="medal", program=it.template.program
        )
    )

    assert name == "certificationtemplate_type_known"


def test_a_published_version_is_frozen(it: World) -> None:
    assert refusal(lambda: _update(it.version, name="Other")).endswith("version 1 is frozen")


def test_type_and_program_of_a_published_template_are_frozen(it: World) -> None:
    reason = "UPDATE refused in certification_templates: type and program were published"
    fresh = CertificationTemplate.objects.create(
        slug="new", title="New", program=it.template.program
    )

    _update(fresh, type="badge")
    _update(it.template, title="Retitled")
    retire(version=it.version, actor=it.registrar, at=NOON)

    assert refusal(lambda: _update(it.template, type="badge")) == reason


# --- Events --------------------------------------------------------------------------------------
def event_row(award: CertificationAward, **changes: Any) -> CredentialEvent:
    values = {
        "award": award,
        "contact_id": award.contact_id,
        "type": "suspended",
        "revision": 2,
        "reason": "Asked",
        "occurred_at": NOON,
        **changes,
    }
    return CredentialEvent.objects.create(**values)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"revision": 1}, "credentialevent_begins_with_issued"),
        ({"type": "issued"}, "credentialevent_begins_with_issued"),
        ({"type": "lost"}, "credentialevent_type_known"),
        ({"reason": ""}, "credentialevent_reason_given"),
        ({"type": "reinstated", "reason": ""}, "credentialevent_reason_given"),
        ({"type": "revoked", "reason": ""}, "credentialevent_reason_given"),
    ],
)
def test_an_event_out_of_line_is_refused(it: World, changes: dict[str, Any], name: str) -> None:
    award = it.awarded()

    assert refusal(lambda: event_row(award, **changes)) == name


def test_an_event_about_oneself_is_refused(it: World) -> None:
    award = it.awarded()

    assert refusal(lambda: event_row(award, actor=award.contact)) == (
        "credentialevent_not_about_oneself"
    )


def test_an_event_names_the_awards_own_contact(it: World) -> None:
    award = it.awarded()

    name = refusal(lambda: event_row(award, contact_id=it.registrar.id, actor=award.contact))

    assert name == "credentialevent_contact_of_its_award"


def test_two_events_of_one_revision_are_refused(it: World) -> None:
    award = it.awarded()
    event_row(award)

    assert refusal(lambda: event_row(award)) == "credentialevent_revision_once"


@pytest.mark.parametrize("type_", ["revoked", "expired", "renewed"])
def test_what_happens_once_is_recorded_once(it: World, type_: str) -> None:
    award = it.awarded()
    event_row(award, type=type_)

    name = refusal(lambda: event_row(award, type=type_, revision=3))

    assert name == "credentialevent_ends_once"


# --- Holds ---------------------------------------------------------------------------------------
def hold_row(it: World, **changes: Any) -> AwardHold:
    values = {
        "template": it.template,
        "enrollment": it.enrollment,
        "contact_id": it.enrollment.contact_id,
        "code": "manual",
        "reason": "Asked",
        "opened_at": NOON,
        **changes,
    }
    return AwardHold.objects.create(**values)


def resolved(by: Contact, **changes: Any) -> dict[str, Any]:
    return {
        "resolved_at": NOON,
        "resolved_by": by,
        "resolution": "released",
        "resolution_reason": "Looked at",
        **changes,
    }


def test_a_second_open_hold_is_refused(it: World) -> None:
    hold_row(it)

    assert refusal(lambda: hold_row(it)) == "awardhold_one_open_per_template_and_enrollment"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"code": "moon-phase"}, "awardhold_code_known"),
        ({"reason": ""}, "awardhold_reason_given"),
        ({"resolved_at": NOON}, "awardhold_resolved_as_a_whole"),
        ({"resolution": "released"}, "awardhold_resolved_as_a_whole"),
    ],
)
def test_a_hold_in_pieces_is_refused(it: World, changes: dict[str, Any], name: str) -> None:
    assert refusal(lambda: hold_row(it, **changes)) == name


@pytest.mark.parametrize("changes", [{"resolution_reason": ""}, {"resolution": "forgotten"}])
def test_a_resolution_in_pieces_is_refused(it: World, changes: dict[str, Any]) -> None:
    name = refusal(lambda: hold_row(it, **resolved(it.registrar, **changes)))

    assert name == "awardhold_resolved_as_a_whole"


def test_a_hold_about_oneself_is_refused(it: World) -> None:
    own = it.enrollment.contact

    assert refusal(lambda: hold_row(it, opened_by=own)) == "awardhold_not_about_oneself"
    assert refusal(lambda: hold_row(it, **resolved(own))) == "awardhold_not_about_oneself"


def test_a_hold_on_another_learners_enrollment_is_refused(it: World) -> None:
    bobs = it.another("Bob").enrollment

    assert refusal(lambda: hold_row(it, enrollment=bobs)) == "awardhold_enrollment_of_its_learner"


def test_a_hold_on_an_award_of_another_template_is_refused(it: World) -> None:
    award = it.awarded()
    other = published_template(it.requirements, slug="other")

    name = refusal(lambda: hold_row(it, template=other.definition, award=award))

    assert name == "awardhold_award_of_its_template"


def test_a_resolution_is_final_and_the_rest_never_changes(it: World) -> None:
    hold = hold_row(it)

    assert refusal(lambda: _update(hold, reason="Other")) == (
        "UPDATE refused in award_holds: only its lifecycle may change"
    )
    _update(hold, **resolved(it.registrar))
    assert refusal(lambda: _update(hold, resolution="refused")).startswith(
        "UPDATE refused in award_holds: it is final since"
    )


# --- Keys, documents, entries --------------------------------------------------------------------
def key_row(**changes: Any) -> IssuerKey:
    values = {
        "public_key": "z6MkTest",
        "sealed_private_key": b"sealed",
        "valid_from": NOON,
        **changes,
    }
    return IssuerKey.objects.create(**values)


def test_a_second_active_key_is_refused() -> None:
    key_row()

    assert refusal(lambda: key_row(public_key="z6MkOther")) == "issuerkey_one_active"


@pytest.mark.parametrize(
    "changes",
    [
        {"sealed_private_key": None},
        {"state": "retired", "retired_at": NOON},
        {"state": "retired", "sealed_private_key": None},
        {"state": "revoked", "sealed_private_key": None, "retired_at": NOON},
        {"state": "lost"},
        {"retired_at": NOON},
    ],
    ids=str,
)
def test_a_private_half_rests_only_while_its_key_signs(changes: dict[str, Any]) -> None:
    assert refusal(lambda: key_row(**changes)) == "issuerkey_private_half_only_while_active"


def test_a_key_never_signs_again_and_is_never_another() -> None:
    key = key_row()
    rotate_key(actor=person("Rita"), at=NOON)

    assert refusal(lambda: _update(key, public_key="z6MkForged")) == (
        "UPDATE refused in issuer_keys: only its lifecycle may change"
    )
    active = {"state": "active", "sealed_private_key": b"sealed", "retired_at": None}
    assert refusal(lambda: _update(key, **active)) == (
        "UPDATE refused in issuer_keys: retired_at is set"
    )


def test_a_document_is_signed_once_in_each_format(it: World) -> None:
    document = CredentialDocument.objects.get(award=it.awarded())
    document.pk = None
    document._state.adding = True

    def again() -> None:
        CredentialDocument.objects.create(
            award=document.award,
            media_type=document.media_type,
            content=document.content,
            sha256=document.sha256,
            key=document.key,
        )

    assert refusal(again) == "credentialdocument_once_per_format"


def test_a_document_with_another_digest_is_refused(it: World) -> None:
    document = CredentialDocument.objects.get(award=it.awarded())

    def forged() -> None:
        CredentialDocument.objects.create(
            award=document.award,
            media_type="text/plain",
            content=b"Ada",
            sha256=document.sha256,
            key=document.key,
        )

    assert refusal(forged) == "credentialdocument_digest_of_its_bytes"


def entry_row(award: CertificationAward, **changes: Any) -> StatusListEntry:
    own = StatusListEntry.objects.get(award=award)
    values = {"award": award, "purpose": own.purpose, "list_number": 9, "index": 1, **changes}
    return StatusListEntry.objects.create(**values)


def test_a_place_in_a_status_list_is_given_once(it: World) -> None:
    award, other = it.awarded(), it.another("Bob")
    taken = StatusListEntry.objects.get(award=award)
    other.meet()
    bobs = award_row(other)

    name = refusal(lambda: _insert_entry(bobs, taken.list_number, taken.index))

    assert name == "statuslistentry_index_once"


def _insert_entry(award: CertificationAward, number: int, index: int) -> None:
    StatusListEntry.objects.create(award=award, list_number=number, index=index)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "statuslistentry_once_per_award"),
        ({"index": 131_072}, "statuslistentry_inside_its_list"),
        ({"list_number": 0}, "statuslistentry_inside_its_list"),
        ({"purpose": "decoration"}, "statuslistentry_purpose_known"),
    ],
)
def test_a_place_outside_a_status_list_is_refused(
    it: World, changes: dict[str, Any], name: str
) -> None:
    award = it.awarded()

    assert refusal(lambda: entry_row(award, **changes)) == name


def test_a_place_in_a_status_list_never_moves(it: World) -> None:
    entry = StatusListEntry.objects.get(award=it.awarded())

    assert refusal(lambda: _update(entry, index=1)) == (
        "permission denied for table status_list_entries"
    )


def test_versions_of_a_template_are_told_by_number(it: World) -> None:
    assert str(CertificationTemplateVersion.objects.get()) == "Certified v1"
