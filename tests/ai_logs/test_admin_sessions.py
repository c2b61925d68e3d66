"""Back office of sessions and prices: who sees what, what is put on record, what is destroyed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.ai_logs.models import AiErasure, AiModelPrice, AiSession, AiSessionKey
from apps.ai_logs.services.erasure import erase_session
from apps.ai_logs.services.feedback import give_feedback
from apps.ai_logs.services.sessions import end_session
from apps.ai_logs.vocabulary import ErasureReason, Rating
from apps.cohorts.models import CohortEnrollment, StaffRole
from apps.cohorts.services import add_staff, enroll
from apps.contacts.models import AdminAction, Contact
from apps.organizations.models import OrgRole
from tests.ai_logs.factories import NOON, answered, conversation, record, session
from tests.clients import browser
from tests.cohorts.factories import open_cohort
from tests.factories import contact, member, some_uuid

pytestmark = pytest.mark.django_db

QUESTION, ANSWER = b"What is a permit?", b"A permit is a written permission."


def url(verb: str, *args: Any, model: str = "aisession") -> str:
    return reverse(f"admin:ai_logs_{model}_{verb}", args=args)


@pytest.fixture
def ada() -> Contact:
    return contact("Ada Lovelace")


@pytest.fixture
def enrollment(ada: Contact) -> CohortEnrollment:
    return enroll(cohort=open_cohort(), contact=ada, actor=None, at=NOON)


@pytest.fixture
def said(ada: Contact, enrollment: CohortEnrollment) -> AiSession:
    return conversation(ada, enrollment=enrollment)


def staff_of(enrollment: CohortEnrollment) -> Contact:
    person = member(OrgRole.INSTRUCTOR)
    add_staff(cohort=enrollment.cohort, contact=person, role=StaffRole.INSTRUCTOR, actor=person)
    return person


def readings() -> list[tuple[Any, Any]]:
    rows = AdminAction.objects.filter(action="aisession.read")
    return list(rows.values_list("actor_id", "entity_id"))


def listed(client: Client, **chosen: str) -> list[AiSession]:
    return list(client.get(url("changelist"), chosen).context["cl"].result_list)


@pytest.mark.parametrize("role", [OrgRole.OWNER, OrgRole.ADMIN, OrgRole.AUDITOR])
def test_staff_who_see_every_cohort_see_every_session(said: AiSession, role: str) -> None:
    stray = session()
    client = browser(member(role))

    assert set(listed(client)) == {said, stray}
    assert client.get(url("change", said.pk)).status_code == 200
    assert client.get(url("changelist", model="aimodelprice")).status_code == 200


def test_an_instructor_sees_the_sessions_of_the_cohorts_they_staff(
    said: AiSession, enrollment: CohortEnrollment
) -> None:
    stray = session(contact())
    client, stranger = browser(staff_of(enrollment)), browser(member(OrgRole.INSTRUCTOR))

    assert listed(client) == [said]
    assert [client.get(url(verb, said.pk)).status_code for verb in ("change", "conversation")] == [
        200,
        200,
    ]
    for verb in ("change", "conversation", "erase"):
        assert client.get(url(verb, stray.pk)).status_code == 404
        assert stranger.get(url(verb, said.pk)).status_code == 404
    assert client.get(url("erase", said.pk)).status_code == 404
    assert client.get(url("changelist", model="aimodelprice")).status_code == 403


def test_what_is_not_there_is_not_found(said: AiSession) -> None:
    client = browser(member(OrgRole.OWNER))

    for verb in ("change", "conversation", "erase", "history"):
        assert client.get(url(verb, some_uuid())).status_code == 404


def test_the_log_shows_costs_and_feedback_and_no_texts(said: AiSession) -> None:
    answer = said.interactions.get(role="assistant")
    give_feedback(interaction=answer, contact=contact("Bo"), rating=Rating.FLAG, comment="Wrong!")
    page = browser(member(OrgRole.ADMIN)).get(url("change", said.pk)).content

    # 1000 × 0.15 + 200 × 0.6 in millionths
    assert b"$ 0.000270" in page
    assert b"Flag" in page
    assert b"with a comment" in page
    assert b"under review" in page
    assert not any(words in page for words in (QUESTION, ANSWER, b"Wrong!"))
    assert readings() == []


def test_reading_what_was_said_is_put_on_record_each_time(said: AiSession) -> None:
    answer = said.interactions.get(role="assistant")
    give_feedback(interaction=answer, contact=contact("Bo"), rating=Rating.FLAG, comment="Wrong!")
    auditor = member(OrgRole.AUDITOR)
    client = browser(auditor)
    page = client.get(url("conversation", said.pk)).content

    assert all(words in page for words in (QUESTION, ANSWER, b"Wrong!"))
    assert b"Every text is what was recorded." in page
    client.get(url("conversation", said.pk))
    assert readings() == [(auditor.pk, said.pk)] * 2


def test_reading_ones_own_is_not_put_on_record() -> None:
    admin = member(OrgRole.ADMIN)
    mine = conversation(admin)

    assert QUESTION in browser(admin).get(url("conversation", mine.pk)).content
    assert readings() == []


def test_words_of_a_learner_are_told_as_words() -> None:
    made = session()
    record(made.id, answered("<script>alert(1)</script>"))
    page = browser(member(OrgRole.ADMIN)).get(url("conversation", made.pk)).content

    assert b"&lt;script&gt;alert(1)" in page
    assert b"<script>alert" not in page


def test_a_text_that_was_changed_in_the_store_is_named(said: AiSession, store: Path) -> None:
    name = said.contents.all()[0].object_name
    stored = (store / name).read_bytes()
    (store / name).write_bytes(bytes([stored[0] ^ 1]) + stored[1:])
    page = browser(member(OrgRole.ADMIN)).get(url("conversation", said.pk)).content

    assert b"Something is not what was recorded." in page
    assert name.encode() in page


ERASE = {"reason": "organization", "note": "Ticket 7", "is_sure": "on"}


def test_erasing_asks_for_a_reason_and_destroys_what_was_said(said: AiSession) -> None:
    admin = member(OrgRole.ADMIN, name="Registrar")
    client = browser(admin)
    before = client.post(url("erase", said.pk), {"reason": "organization", "note": ""})
    assert (before.status_code, AiErasure.objects.count()) == (200, 0)
    assert set(before.context["form"].errors) == {"note", "is_sure"}

    done = client.post(url("erase", said.pk), ERASE)

    assert done.url == url("change", said.pk)
    erasure = AiErasure.objects.get()
    assert (erasure.actor, erasure.reason, erasure.note) == (admin, "organization", "Ticket 7")
    assert not AiSessionKey.objects.filter(session=said).exists()
    page = client.get(url("conversation", said.pk)).content
    assert b"by Registrar" in page
    assert b"Ticket 7" in page
    assert b"The text was erased." in page
    assert b"$ 0.000270" in page
    assert client.get(url("erase", said.pk)).status_code == 404


def test_a_learners_request_waits_for_the_decision_about_a_flag(said: AiSession) -> None:
    answer = said.interactions.get(role="assistant")
    give_feedback(interaction=answer, contact=contact(), rating=Rating.FLAG)
    client = browser(member(OrgRole.OWNER))

    refused = client.post(url("erase", said.pk), {**ERASE, "reason": "learner_request"})

    assert (refused.status_code, AiErasure.objects.count()) == (200, 0)
    assert b"being looked at" in refused.content


@pytest.mark.parametrize("role", [OrgRole.AUDITOR, OrgRole.INSTRUCTOR])
def test_who_may_only_read_can_not_erase(
    said: AiSession, enrollment: CohortEnrollment, role: str
) -> None:
    person = staff_of(enrollment) if role == OrgRole.INSTRUCTOR else member(role)

    assert browser(person).post(url("erase", said.pk), ERASE).status_code == 404
    assert AiErasure.objects.count() == 0


def test_the_list_is_filtered_and_searched(said: AiSession, ada: Contact) -> None:
    ended, erased = conversation(contact("Bo")), conversation(contact("Cy"))
    end_session(session=ended, at=NOON)
    erase_session(session=erased, reason=ErasureReason.RETENTION, actor=None)
    strange = session(conversation_id="odd one")
    [call] = record(strange.id, answered("?", responded_model="nobody-knows", requested_model=""))
    give_feedback(interaction=call, contact=ada, rating=Rating.FLAG)
    client = browser(member(OrgRole.ADMIN))

    assert set(listed(client, state="open")) == {said, strange}
    assert listed(client, state="ended") == [ended]
    assert listed(client, state="erased") == [erased]
    assert listed(client, state="review") == [strange]
    assert listed(client, feedback="flag") == [strange]
    assert listed(client, cost="unknown") == [strange]
    assert listed(client, cost="cent") == []
    assert listed(client, q="lovelace") == [said]
    assert listed(client, q="odd one") == [strange]


@pytest.mark.parametrize("verb", ["changelist", "change", "conversation"])
def test_pages_take_as_many_statements_for_two_as_for_twenty(
    verb: str, ada: Contact, count_statements: Callable[[Callable[[], Any]], int]
) -> None:
    made = session(ada)
    for number in range(2):
        record(session(ada).id, answered("Yes."))
        record(made.id, answered(f"Answer {number}"))
    client = browser(member(OrgRole.ADMIN))
    args = () if verb == "changelist" else (made.pk,)
    client.get(url(verb, *args))
    few = count_statements(lambda: client.get(url(verb, *args)))
    for number in range(18):
        record(session(ada).id, answered("Yes."))
        [row] = record(made.id, answered(f"Another answer {number}"))
        give_feedback(interaction=row, contact=ada, rating=Rating.THUMBS_UP)

    assert count_statements(lambda: client.get(url(verb, *args))) == few


# --- Prices -------------------------------------------------------------------------------------

PRICE = {
    "provider": "openai",
    "model": "gpt-4o-mini-2024-07-18",
    "token_type": "input",
    "valid_from": "2026-03-01",
    "per_million": "0.30",
    "currency": "USD",
    "above_input_tokens": "0",
}


def test_a_price_is_entered_and_told_with_who_did(said: AiSession) -> None:
    admin = member(OrgRole.ADMIN, name="Registrar")
    client = browser(admin)

    done = client.post(url("add", model="aimodelprice"), PRICE)

    assert done.url == url("changelist", model="aimodelprice")
    row = AiModelPrice.objects.get(source="manual")
    assert (row.price_per_million, row.recorded_by, row.revision) == (Decimal("0.3"), admin, 1)
    page = client.get(done.url).content
    assert b"0.3 USD" in page
    assert b"entered by Registrar" in page
    assert AdminAction.objects.filter(action="aimodelprice.entered", actor=admin).count() == 1
    assert client.get(url("change", row.pk, model="aimodelprice")).status_code == 200


def test_a_corrected_price_is_shown_struck_out() -> None:
    client = browser(member(OrgRole.OWNER))
    client.post(url("add", model="aimodelprice"), PRICE)
    client.post(url("add", model="aimodelprice"), {**PRICE, "per_million": "0.4"})

    page = client.get(url("changelist", model="aimodelprice")).content
    assert b"<s>0.3 USD</s>" in page
    assert b"0.4 USD" in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("per_million", "-1"),
        ("per_million", "1e40"),
        ("currency", "dollar"),
        ("valid_from", "never"),
        ("token_type", "words"),
        ("above_input_tokens", "-5"),
        ("provider", ""),
    ],
)
def test_a_price_that_makes_no_sense_is_refused_in_the_form(field: str, value: str) -> None:
    page = browser(member(OrgRole.OWNER)).post(
        url("add", model="aimodelprice"), {**PRICE, field: value}
    )

    assert (page.status_code, set(page.context["form"].errors)) == (200, {field})
    assert AiModelPrice.objects.count() == 0


@pytest.mark.parametrize("role", [OrgRole.AUDITOR, OrgRole.INSTRUCTOR])
def test_only_who_manages_settings_enters_prices(role: str) -> None:
    answer = browser(member(role)).post(url("add", model="aimodelprice"), PRICE)

    assert (answer.status_code, AiModelPrice.objects.count()) == (403, 0)
