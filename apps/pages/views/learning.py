"""The start page, courses and their items."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.cohorts.events import EventType
from apps.cohorts.models import CohortEnrollment, EnrollmentState
from apps.cohorts.services import Assertion, assert_progress, enroll
from apps.core.clock import now
from apps.core.problems import NotFound
from apps.pages.selectors.dashboard import dashboard
from apps.pages.selectors.learning import (
    content_gate,
    course_view,
    item_view,
    own_enrollment,
    placed_template_id,
)
from apps.pages.selectors.progress import progress_view
from apps.pages.views.member import MemberRequest, member_page, use_zone_of
from apps.programs.markdown import render_markdown
from apps.programs.models import ItemType


@require_safe
@member_page
def start(request: MemberRequest) -> HttpResponse:
    at = now()
    board = dashboard(request.contact.id, at=at)
    if board.present:
        use_zone_of(request, board.present[0].enrollment.cohort)
    return render(request, "pages/dashboard.html", {"board": board, "at": at})


def _enrollment(request: MemberRequest, enrollment_id: UUID) -> CohortEnrollment:
    enrollment = own_enrollment(request.contact.id, enrollment_id)
    use_zone_of(request, enrollment.cohort)
    return enrollment


@require_safe
@member_page
def progress(request: MemberRequest, enrollment_id: UUID) -> HttpResponse:
    """Show how one stands: what is met, what is locked and why, and what comes next."""
    enrollment = _enrollment(request, enrollment_id)
    at = now()
    view = progress_view(enrollment, at=at)
    context = {"enrollment": enrollment, "view": view, "at": at}
    return render(request, "pages/progress.html", context)


@require_POST
@member_page
def accept(request: MemberRequest, enrollment_id: UUID) -> HttpResponse:
    """Accept an invitation to a cohort; without a free seat one waits for it."""
    enrollment = _enrollment(request, enrollment_id)
    if enrollment.state == EnrollmentState.INVITED:
        enroll(cohort=enrollment.cohort, contact=request.contact, actor=request.contact, at=now())
        messages.success(request, _("You have accepted the invitation."))
    return redirect("pages:progress", enrollment.id)


@require_safe
@member_page
def course(request: MemberRequest, enrollment_id: UUID, slug: str) -> HttpResponse:
    enrollment = _enrollment(request, enrollment_id)
    gate = content_gate(enrollment)
    view = course_view(enrollment, slug, at=now())
    context = {"enrollment": enrollment, "gate": gate, "view": view, "course": view.course}
    return render(request, "pages/course.html", context)


@require_safe
@member_page
def item(request: MemberRequest, enrollment_id: UUID, item_id: UUID) -> HttpResponse:
    """Show a lesson or an external item; an assessment has a page of its own."""
    enrollment = _enrollment(request, enrollment_id)
    view = item_view(enrollment, item_id, at=now())
    if view.item.type == ItemType.ASSESSMENT:
        template_id = placed_template_id(item_id)
        if template_id is None:
            raise NotFound
        return redirect("pages:assessment", enrollment.id, template_id)
    gate = content_gate(enrollment)
    gate = gate if not gate.allowed else view.gate
    context = {"enrollment": enrollment, "view": view, "course": view.course, "gate": gate}
    if not gate.allowed:
        return render(request, "pages/item_locked.html", context, status=403)
    context["body"] = render_markdown(view.item.body_markdown)
    return render(request, "pages/item.html", context)


@require_POST
@member_page
def complete_item(request: MemberRequest, enrollment_id: UUID, item_id: UUID) -> HttpResponse:
    """Say that one has read a lesson or used an external item, and go on to the next."""
    enrollment = _enrollment(request, enrollment_id)
    at = now()
    view = item_view(enrollment, item_id, at=at)
    assertion = Assertion(
        enrollment_id=enrollment.id,
        type=EventType.ITEM_COMPLETED,
        item_id=item_id,
        occurred_at=at,
        idempotency_key=f"page:{enrollment.id}:{item_id}:{EventType.ITEM_COMPLETED}",
    )
    outcome = assert_progress(
        principal=request.principal, assertions=[assertion], at=at, project=True
    )[0]
    if outcome.problem is not None:
        raise outcome.problem
    messages.success(request, _("“%(title)s” is done.") % {"title": view.item.title})
    if view.following is None:
        return redirect("pages:course", enrollment.id, view.course.slug)
    return redirect("pages:item", enrollment.id, view.following.id)
