"""Taking an assessment in a real browser: what the script adds to the plain forms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from apps.assessment.models import AssessmentAttempt, AssessmentResponse
from apps.assessment.questions.items import JsonValue
from apps.core.clock import now
from tests.assessment.factories import WITH_ESSAY
from tests.browser.conftest import signed_in
from tests.flows.conftest import until
from tests.pages.factories import study

pytestmark = pytest.mark.flow

ESSAY = "[data-kind=essay] textarea"
NUMBER = "[data-kind=numeric] input[type=text]"


def kept(attempt: AssessmentAttempt, key: str) -> JsonValue:
    row = AssessmentResponse.objects.filter(attempt=attempt, item__key=key).first()
    value: JsonValue = row.value if row else None
    return value


def is_kept(attempt: AssessmentAttempt, key: str, value: JsonValue) -> Callable[[], bool]:
    return lambda: kept(attempt, key) == value


def test_answers_are_saved_as_they_are_given(chromium: Any, site: str) -> None:
    own = study(questions=WITH_ESSAY)
    attempt = own.started()
    page = signed_in(chromium, site, own.learner)
    page.goto(f"{site}/attempts/{attempt.id}")

    page.click("label:has-text('Paris')")
    page.check("[value=two]")
    page.check("[value=three]")
    page.click("label:has-text('True')")
    page.fill(NUMBER, "3.14")
    page.fill(ESSAY, "Bread\nand debts")

    until(is_kept(attempt, "causes", "Bread\nand debts"), what="the essay to be saved")
    page.wait_for_selector("#save-state[data-state=saved]")
    assert [kept(attempt, key) for key in ("capital", "primes", "earth", "pi")] == [
        "paris",
        ["two", "three"],
        True,
        "3.14",
    ]
    assert page.inner_text("#save-state") == "All answers are saved"


def test_what_cannot_be_read_is_said_at_once_and_goes_away_when_mended(
    chromium: Any, site: str
) -> None:
    own = study()
    attempt = own.started()
    page = signed_in(chromium, site, own.learner)
    page.goto(f"{site}/attempts/{attempt.id}")

    page.fill(NUMBER, "about three")
    page.wait_for_selector(f"{NUMBER}[aria-invalid=true]")
    complaint = page.inner_text("[data-kind=numeric] .fault")
    page.fill(NUMBER, "3")
    page.wait_for_selector(f"{NUMBER}:not([aria-invalid])")

    assert "about three" in complaint
    assert page.is_hidden("[data-kind=numeric] .fault")


def test_a_lost_connection_loses_no_answer(chromium: Any, site: str) -> None:
    own = study(questions=WITH_ESSAY)
    attempt = own.started()
    page = signed_in(chromium, site, own.learner)
    page.goto(f"{site}/attempts/{attempt.id}")

    page.context.set_offline(True)
    page.fill(ESSAY, "Written without a connection")
    page.wait_for_selector("#save-state[data-state=offline]")
    while_offline = kept(attempt, "causes")
    page.context.set_offline(False)

    until(
        is_kept(attempt, "causes", "Written without a connection"),
        what="the answer to be saved after all",
    )
    assert while_offline is None
    page.wait_for_selector("#save-state[data-state=saved]")


def test_of_two_windows_the_later_answer_stays(chromium: Any, site: str) -> None:
    own = study(questions=WITH_ESSAY)
    attempt = own.started()
    one = signed_in(chromium, site, own.learner)
    two = one.context.new_page()
    for page in (one, two):
        page.goto(f"{site}/attempts/{attempt.id}")

    one.fill(ESSAY, "first")
    until(is_kept(attempt, "causes", "first"), what="the first window to save")
    two.fill(ESSAY, "second")
    until(is_kept(attempt, "causes", "second"), what="the second window to save")
    one.click("[name=finish]")
    one.wait_for_url("**/submit")

    assert kept(attempt, "causes") == "second"


def test_the_attempt_is_handed_in_by_itself_when_its_time_is_over(chromium: Any, site: str) -> None:
    own = study(questions=WITH_ESSAY, time_limit_seconds=3600, grace_seconds=30)
    page = signed_in(chromium, site, own.learner)
    attempt = own.started(now() - timedelta(seconds=3600 - 8))
    page.goto(f"{site}/attempts/{attempt.id}")

    left = page.inner_text("#timer")
    page.fill(ESSAY, "At the last moment")
    page.wait_for_url("**/result", timeout=30_000)

    attempt.refresh_from_db()
    assert left.startswith("Time left: 00:0")
    assert (attempt.status, attempt.closed_by_server) == ("submitted", False)
    assert kept(attempt, "causes") == "At the last moment"
