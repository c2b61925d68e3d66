"""Taking an assessment: its terms, the attempt, handing it in, the result.

Everything works by plain forms; a script saves answers as they are given (static/attempt.js).
"""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.assessment.models import AssessmentAttempt, AssessmentTemplate
from apps.assessment.selectors.attempts import attempt_paper
from apps.assessment.services import (
    close_attempt,
    save_responses,
    start_attempt,
    submit_attempt,
)
from apps.assessment.services.attempts import NotOffered
from apps.assessment.services.autosave import AttemptClosed
from apps.core.clock import now
from apps.core.problems import NotFound
from apps.pages.forms import changed_answers
from apps.pages.selectors.assessments import (
    assessment_view,
    is_running,
    own_attempt,
    questions,
    result_view,
    unanswered,
)
from apps.pages.selectors.learning import own_enrollment
from apps.pages.views.member import MemberRequest, member_page, use_zone_of


@require_safe
@member_page
def assessment(request: MemberRequest, enrollment_id: UUID, template_id: UUID) -> HttpResponse:
    """Show the terms, the earlier attempts, and whether another can be started."""
    enrollment = own_enrollment(request.contact.id, enrollment_id)
    use_zone_of(request, enrollment.cohort)
    view = assessment_view(enrollment, template_id, at=now())
    return render(request, "pages/assessment.html", {"enrollment": enrollment, "view": view})


@require_POST
@member_page
def begin(request: MemberRequest, enrollment_id: UUID, template_id: UUID) -> HttpResponse:
    """Start an attempt, or go on with the one that is open."""
    enrollment = own_enrollment(request.contact.id, enrollment_id)
    template = get_object_or_404(AssessmentTemplate, pk=template_id)
    try:
        started = start_attempt(
            enrollment=enrollment, template=template, actor=request.contact, at=now()
        )
    except NotOffered as problem:
        raise NotFound from problem  # as its page does
    return redirect("pages:attempt", started.attempt.id)


def _attempt(request: MemberRequest, attempt_id: UUID) -> AssessmentAttempt:
    found = own_attempt(request.contact.id, attempt_id)
    use_zone_of(request, found.enrollment.cohort)
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def attempt(request: MemberRequest, attempt_id: UUID) -> HttpResponse:
    """Show the paper of an open attempt; on POST keep what was answered."""
    at = now()
    found = _attempt(request, attempt_id)
    if not is_running(found, at):
        return _over(request, found)
    if request.method == "POST":
        return _save(request, found)
    paper = attempt_paper(found)
    context = {
        "attempt": found,
        "enrollment": found.enrollment,
        "paper": paper,
        "questions": questions(paper),
        "at": at,
    }
    return render(request, "pages/attempt.html", context)


def _over(request: MemberRequest, found: AssessmentAttempt) -> HttpResponse:
    """Lead to the result; an attempt whose time is over is closed with what was saved."""
    close_attempt(attempt_id=found.id, at=now())
    if request.method == "POST":
        messages.error(request, _("The attempt is over. What was saved in time counts."))
    return redirect("pages:result", found.id)


def _save(request: MemberRequest, found: AssessmentAttempt) -> HttpResponse:
    answers = changed_answers(attempt_paper(found), request.POST)
    try:
        saved = (
            save_responses(
                attempt_id=found.id, answers=answers, contact_id=request.contact.id, at=now()
            )
            if answers
            else []
        )
    except AttemptClosed:
        return _over(request, found)
    outdated = sum(not answer.is_stored for answer in saved)
    if outdated:
        text = ngettext(
            "%d answer was left as it was saved later in another window.",
            "%d answers were left as they were saved later in another window.",
            outdated,
        )
        messages.warning(request, text % outdated)
    if "finish" in request.POST:
        return redirect("pages:submit", found.id)
    messages.success(request, _("Your answers are saved."))
    return redirect("pages:attempt", found.id)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def submit(request: MemberRequest, attempt_id: UUID) -> HttpResponse:
    """Ask before handing in, with what is still unanswered; on POST hand in."""
    at = now()
    found = _attempt(request, attempt_id)
    if request.method == "POST":
        submit_attempt(attempt=found, actor=request.contact, at=at)
        messages.success(request, _("Your attempt is handed in."))
        return redirect("pages:result", found.id)
    if not is_running(found, at):
        return _over(request, found)
    paper = attempt_paper(found)
    context = {
        "attempt": found,
        "enrollment": found.enrollment,
        "total": len(paper.items),
        "unanswered": unanswered(paper),
        "at": at,
    }
    return render(request, "pages/submit.html", context)


@require_safe
@member_page
def result(request: MemberRequest, attempt_id: UUID) -> HttpResponse:
    """Show what the learner may see of an attempt that was handed in."""
    at = now()
    found = _attempt(request, attempt_id)
    if is_running(found, at):
        return redirect("pages:attempt", found.id)
    context = {
        "attempt": found,
        "enrollment": found.enrollment,
        "view": result_view(found, at=at),
    }
    return render(request, "pages/result.html", context)
