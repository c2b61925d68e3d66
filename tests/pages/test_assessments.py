"""Taking an assessment by the page's plain forms."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.assessment.models import Accommodation, AssessmentAttempt, AssessmentResponse
from apps.assessment.questions.items import JsonValue
from apps.assessment.selectors.attempts import attempt_paper
from apps.assessment.services import grade_attempt, save_response, void_attempt
from apps.assessment.vocabulary import AttemptStatus
from apps.core.clock import now
from tests.assessment.factories import AUTOMATIC, RIGHT, WITH_ESSAY, WRONG
from tests.clients import browser
from tests.factories import contact, member
from tests.pages.factories import Study, study

pytestmark = pytest.mark.django_db


def page_fields(attempt: AssessmentAttempt) -> dict[str, Any]:
    """Return what the attempt's page would post if nothing was changed on it."""
    fields: dict[str, Any] = {}
    for item in attempt_paper(attempt).items:
        fields[f"sequence-{item.id}"] = item.sequence
        value = item.invalid_value if item.fault else item.value
        if value is not None:
            fields[f"answer-{item.id}"] = str(value).lower() if value in (True, False) else value
    return fields


def filled_in(
    own: Study, attempt: AssessmentAttempt, answers: dict[str, JsonValue]
) -> dict[str, Any]:
    """Return the page's fields with these answers typed in."""
    given = {
        f"answer-{item.id}": str(value).lower() if isinstance(value, bool) else value
        for item in own.quiz.items.all()
        for value in [answers.get(item.key)]
        if value is not None
    }
    return {**page_fields(attempt), **given}


def kept(attempt: AssessmentAttempt) -> dict[str, JsonValue]:
    rows = AssessmentResponse.objects.filter(attempt=attempt).select_related("item")
    return {row.item.key: row.value for row in rows}


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def test_the_start_page_tells_the_terms() -> None:
    own = study(time_limit_seconds=5400, attempts_allowed=2, pass_percent="62.5")

    page = text(browser(own.learner), own.path(f"/assessments/{own.template.id}"))

    for told in ("1 hour 30 minutes", "2 of 2 left", "62.5 %", "the best one counts"):
        assert told in page


def test_the_start_page_tells_of_extra_time() -> None:
    own = study(time_limit_seconds=3600)
    Accommodation.objects.create(
        contact=own.learner, time_multiplier="1.5", reason="dyslexia", granted_by=contact()
    )

    page = text(browser(own.learner), own.path(f"/assessments/{own.template.id}"))

    assert "1 hour 30 minutes" in page
    assert "with your extra time" in page
    assert "dyslexia" not in page


def test_begin_starts_one_attempt_and_goes_on_with_it() -> None:
    own = study()
    client = browser(own.learner)
    path = own.path(f"/assessments/{own.template.id}/start")

    first, second = client.post(path), client.post(path)

    attempt = AssessmentAttempt.objects.get()
    assert (first["Location"], second["Location"]) == (f"/attempts/{attempt.id}",) * 2


def test_begin_without_an_attempt_left_is_refused_with_the_reason() -> None:
    own = study(attempts_allowed=1)
    own.handed_in()
    client = browser(own.learner)

    refused = client.post(own.path(f"/assessments/{own.template.id}/start"))

    assert refused.status_code == 409
    assert "All allowed attempts have been made." in text(
        client, own.path(f"/assessments/{own.template.id}")
    )


def test_the_paper_gives_nothing_away() -> None:
    own = study()
    attempt = own.started()

    page = text(browser(own.learner), f"/attempts/{attempt.id}")

    assert "Paris" in page
    assert "fraction" not in page
    assert "Yes." not in page  # what is said about the right option


def test_without_a_script_one_form_saves_everything() -> None:
    own = study(questions=WITH_ESSAY)
    attempt = own.started()
    answers = {**RIGHT, "causes": "Bread\r\nand debts"}

    response = browser(own.learner).post(
        f"/attempts/{attempt.id}", filled_in(own, attempt, answers)
    )

    assert response["Location"] == f"/attempts/{attempt.id}"
    assert kept(attempt) == {**RIGHT, "causes": "Bread\nand debts"}


def test_saving_an_unchanged_page_writes_nothing() -> None:
    own = study()
    attempt = own.started()
    own.answer(attempt, RIGHT)

    browser(own.learner).post(f"/attempts/{attempt.id}", page_fields(attempt))

    sequences = AssessmentResponse.objects.filter(attempt=attempt).values_list(
        "sequence", flat=True
    )
    assert set(sequences) == {1}


def test_an_answer_can_be_taken_back() -> None:
    own = study()
    attempt = own.started()
    own.answer(attempt, RIGHT)
    fields = page_fields(attempt)
    primes = own.quiz.items.get(key="primes")
    pi = own.quiz.items.get(key="pi")
    del fields[f"answer-{primes.id}"]
    fields[f"answer-{pi.id}"] = ""

    browser(own.learner).post(f"/attempts/{attempt.id}", fields)

    assert kept(attempt) == {**RIGHT, "primes": None, "pi": None}


def test_an_old_page_does_not_overwrite_what_was_saved_later() -> None:
    own = study()
    attempt = own.started()
    old_page = filled_in(own, attempt, {"pi": "3"})
    pi = own.quiz.items.get(key="pi")
    save_response(
        attempt_id=attempt.id,
        item_id=pi.id,
        value="3.14",
        sequence=7,
        contact_id=own.learner.id,
        at=now(),
    )
    client = browser(own.learner)

    client.post(f"/attempts/{attempt.id}", old_page)

    assert kept(attempt) == {"pi": "3.14"}
    assert "1 answer was left as it was saved later" in text(client, f"/attempts/{attempt.id}")


def test_what_cannot_be_read_is_shown_again_with_the_reason() -> None:
    own = study()
    attempt = own.started()
    own.answer(attempt, {"pi": "3.14"})
    client = browser(own.learner)

    client.post(f"/attempts/{attempt.id}", filled_in(own, attempt, {"pi": "about three"}))

    page = text(client, f"/attempts/{attempt.id}")
    assert kept(attempt) == {"pi": "3.14"}
    assert "about three" in page
    assert "can&#x27;t be read as a number" in page or "can't be read as a number" in page


@pytest.mark.parametrize("value", ["unknown-option", "a" * 5000, "\x00"])
def test_what_no_page_of_ours_sends_is_refused(value: str) -> None:
    own = study()
    attempt = own.started()

    response = browser(own.learner).post(
        f"/attempts/{attempt.id}", filled_in(own, attempt, {"capital": value})
    )

    assert response.status_code == 422
    assert kept(attempt) == {}


def test_handing_in_asks_first_and_names_what_is_unanswered() -> None:
    own = study()
    attempt = own.started()
    client = browser(own.learner)
    fields = {**filled_in(own, attempt, {"capital": "paris"}), "finish": "1"}

    asked = client.post(f"/attempts/{attempt.id}", fields)
    page = text(client, asked["Location"])
    attempt.refresh_from_db()

    assert asked["Location"] == f"/attempts/{attempt.id}/submit"
    assert f"{len(AUTOMATIC) - 1} questions have no answer" in page
    assert attempt.status == AttemptStatus.IN_PROGRESS


def test_submit_hands_in_once_and_leads_to_the_result() -> None:
    own = study()
    attempt = own.started()
    own.answer(attempt, RIGHT)
    client = browser(own.learner)

    first, second = (client.post(f"/attempts/{attempt.id}/submit") for _ in range(2))
    waiting = text(client, first["Location"])
    grade_attempt(attempt.id, at=now())

    assert first["Location"] == second["Location"] == f"/attempts/{attempt.id}/result"
    assert "They are being graded" in waiting
    assert "100 %" in text(client, first["Location"])


def test_an_attempt_whose_time_is_over_is_closed_with_what_was_saved() -> None:
    own = study(time_limit_seconds=60)
    begun = now() - timedelta(minutes=5)
    attempt = own.started(begun)
    own.answer(attempt, {"pi": "3.14"}, begun)
    client = browser(own.learner)

    late = client.post(f"/attempts/{attempt.id}", filled_in(own, attempt, {"capital": "paris"}))
    attempt.refresh_from_db()

    assert late["Location"] == f"/attempts/{attempt.id}/result"
    assert (attempt.status, attempt.closed_by_server) == (AttemptStatus.SUBMITTED, True)
    assert kept(attempt) == {"pi": "3.14"}
    assert "What was saved in time counts." in text(client, late["Location"])


def test_the_result_shows_score_answers_and_feedback() -> None:
    own = study()
    attempt = own.handed_in({**RIGHT, "pi": "0"})

    page = text(browser(own.learner), f"/attempts/{attempt.id}/result")

    for told in ("83.33 %", "5 of 6", "Paris", "True", "Yes."):
        assert told in page


def test_a_result_that_is_not_released_stays_hidden() -> None:
    own = study(release_policy="manual")
    attempt = own.handed_in()
    client = browser(own.learner)

    page = text(client, f"/attempts/{attempt.id}/result")

    assert "not released yet" in page
    assert "100 %" not in page
    assert "100 %" not in text(client, "/")
    assert "100 %" not in text(client, own.path(f"/assessments/{own.template.id}"))


def test_a_void_attempt_shows_no_result() -> None:
    own = study()
    attempt = own.handed_in()
    void_attempt(attempt_id=attempt.id, actor=contact(), reason="copied", at=now())

    page = text(browser(own.learner), f"/attempts/{attempt.id}/result")

    assert "This attempt does not count" in page
    assert "100 %" not in page
    assert "copied" not in page


def test_the_history_lists_every_attempt() -> None:
    own = study(attempts_allowed=None)
    attempts = [own.handed_in(WRONG), own.handed_in(RIGHT)]

    page = text(browser(own.learner), own.path(f"/assessments/{own.template.id}"))

    assert all(f"/attempts/{attempt.id}/result" in page for attempt in attempts)


def test_submit_of_anothers_attempt_is_not_found() -> None:
    attempt = study().started()

    response = browser(member()).post(f"/attempts/{attempt.id}/submit")

    attempt.refresh_from_db()
    assert (response.status_code, attempt.status) == (404, AttemptStatus.IN_PROGRESS)
