"""What is answered when a request fails: a page, or a problem document under /v1."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from apps.core.problems import BadRequest, Forbidden, NotFound, Problem
from apps.organizations.middleware import refuse


class StaleForm(Forbidden):
    code = "csrf-failed"
    title = "This form is out of date."


class TooManyRequests(Problem):
    code, status, title = "too-many-requests", 429, "That was too often in a short time."


class ServerError(Problem):
    code, status, title = "server-error", 500, "Something went wrong on our side."


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return refuse(request, BadRequest())


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return refuse(request, Forbidden())


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return refuse(request, NotFound())


def too_many_requests(request: HttpRequest, *, wait: float | None = None) -> HttpResponse:
    """Answer who asks too often; `wait` is after how many seconds they may ask again."""
    response = refuse(request, TooManyRequests(detail="Wait a minute, then try again."))
    if wait is not None:
        response["Retry-After"] = str(int(wait) + 1)
    return response


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose CSRF token is missing or of another session."""
    detail = "Go back, reload the page and send the form again. Cookies must be allowed."
    return refuse(request, StaleForm(detail=detail))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer without the request's context: what failed may be the database itself."""
    problem = ServerError()
    if request.path.startswith("/v1/"):
        return JsonResponse(
            problem.as_dict(), status=problem.status, content_type="application/problem+json"
        )
    return HttpResponse(
        render_to_string("problem.html", {"problem": problem}), status=problem.status
    )
