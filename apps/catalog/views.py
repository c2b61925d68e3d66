"""The catalog on the platform's own host, for everybody to read."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.catalog.selectors import course_called, offered_courses, versions_of

PER_PAGE = 20
LONGEST_SEARCH = 200


@require_safe
def course_list(request: HttpRequest) -> HttpResponse:
    """Return the courses that are offered, by title, twenty a page; `?q=` searches them."""
    search = request.GET.get("q", "")[:LONGEST_SEARCH].strip()
    shown = Paginator(offered_courses(search), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "catalog/courses.html", {"search": search, "shown": shown})


@require_safe
def course_page(request: HttpRequest, slug: str, number: int | None = None) -> HttpResponse:
    """Return one course: a version's outline and terms, and all versions with what changed.

    Without a number it is the newest version that is offered. A course all of whose versions are
    withdrawn is not found, and neither is a withdrawn version; the list tells why.
    """
    course = course_called(slug)
    versions = list(versions_of(course)) if course else []
    offered = [version for version in versions if not hasattr(version, "withdrawal")]
    version = next((one for one in offered if number in (None, one.number)), None)
    if version is None:
        raise Http404
    context = {
        "course": course,
        "version": version,
        "versions": versions,
        "is_newest": version == offered[0],
    }
    return render(request, "catalog/course.html", context)
