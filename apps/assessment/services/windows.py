"""When a cohort may take an assessment. Attempts keep the window that they were started under."""

from __future__ import annotations

from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.assessment.models import AssessmentTemplate, AssessmentWindow
from apps.assessment.rules.policy import WindowTerms
from apps.assessment.selectors.offers import window_terms
from apps.cohorts.models import Cohort
from apps.cohorts.services.progress import ADVANCE
from apps.contacts.models import Contact
from apps.contacts.services import lock_learners, record_admin_action
from apps.core.outbox import owe_many
from apps.core.problems import Conflict, FieldError, Invalid
from apps.core.revisions import violates

TERMS: Final = ("opens_at", "due_at", "closes_at", "attempts_allowed", "time_limit_seconds")


class WindowInvalid(Invalid):
    code = "window-invalid"
    title = "The window can't be like this."


class WindowExists(Conflict):
    code = "window-exists"
    title = "The cohort has a window for this assessment already."


@transaction.atomic
def open_window(
    *, cohort: Cohort, template: AssessmentTemplate, terms: WindowTerms, actor: Contact
) -> AssessmentWindow:
    """Return the cohort's new window for an assessment. Raises WindowExists, WindowInvalid.

    An assessment that no course of the cohort places is offered to it by its window alone.
    """
    window = AssessmentWindow(cohort=cohort, template=template, **_fields(terms))
    _check(window)
    try:
        with transaction.atomic():
            window.save(force_insert=True)
    except IntegrityError as error:
        if not violates(error, "window_one_per_cohort_and_template"):
            raise
        raise WindowExists from error
    if window.attempts_allowed is not None:
        _attempts_changed(cohort)
    _record("opened", window, actor)
    return window


@transaction.atomic
def change_window(
    *, window: AssessmentWindow, terms: WindowTerms, actor: Contact
) -> AssessmentWindow:
    """Return the window with other terms. Raises WindowInvalid."""
    has_changed = terms.attempts_allowed != window.attempts_allowed
    for name, value in _fields(terms).items():
        setattr(window, name, value)
    _check(window)
    if has_changed:
        _attempts_changed(window.cohort)
    window.save(update_fields=TERMS)
    _record("changed", window, actor)
    return window


@transaction.atomic
def remove_window(*, window: AssessmentWindow, actor: Contact) -> None:
    """Let the assessment's own terms hold for the cohort again."""
    if window.attempts_allowed is not None:
        _attempts_changed(window.cohort)
    _record("removed", window, actor)
    window.delete()


def _attempts_changed(cohort: Cohort) -> None:
    """Let requirements look again: whether somebody failed for good depends on tries left."""
    enrolled = cohort.enrollments.enrolled().order_by("id")
    lock_learners(enrolled.values_list("contact_id", flat=True))
    owe_many(ADVANCE, [str(enrollment.id) for enrollment in enrolled])


def _fields(terms: WindowTerms) -> dict[str, Any]:
    return {name: getattr(terms, name) for name in TERMS}


def _check(window: AssessmentWindow) -> None:
    errors = _out_of_order(window)
    try:
        window.clean_fields(exclude={"cohort", "template"})
    except ValidationError as invalid:
        errors += [
            {"field": field, "code": "invalid", "message": message}
            for field, messages in invalid.message_dict.items()
            for message in messages
        ]
    if errors:
        raise WindowInvalid(errors=errors)


def _out_of_order(window: AssessmentWindow) -> list[FieldError]:
    """Name each time that comes before one that it must follow."""
    opens, due, closes = window.opens_at, window.due_at, window.closes_at
    errors: list[FieldError] = []
    if opens is not None and due is not None and due <= opens:
        errors.append(_order("due_at", "It is due before it opens."))
    if opens is not None and closes is not None and closes <= opens:
        errors.append(_order("closes_at", "It closes before it opens."))
    if due is not None and closes is not None and closes < due:
        errors.append(_order("closes_at", "It closes before it is due."))
    return errors


def _order(field: str, message: str) -> FieldError:
    return {"field": field, "code": "times-out-of-order", "message": message}


def _record(verb: str, window: AssessmentWindow, actor: Contact) -> None:
    terms = {
        name: value for name, value in _fields(window_terms(window)).items() if value is not None
    }
    record_admin_action(
        actor=actor,
        action=f"assessment.window_{verb}",
        entity=window,
        details={
            "cohort": str(window.cohort_id),
            "template": str(window.template_id),
            "terms": {name: str(value) for name, value in terms.items()},
        },
    )
