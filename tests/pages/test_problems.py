"""What is answered when a request fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from apps.pages.views import problems

HANDLERS = [
    (problems.bad_request, 400),
    (problems.forbidden, 403),
    (problems.not_found, 404),
    (problems.too_many_requests, 429),
    (problems.stale_form, 403),
    (problems.server_error, 500),
]


@pytest.mark.parametrize(("handler", "status"), HANDLERS)
def test_a_person_gets_a_page(handler: Callable[[HttpRequest], HttpResponse], status: int) -> None:
    response = handler(RequestFactory().get("/somewhere"))

    assert response.status_code == status
    assert response.content.startswith(b"<!doctype html>")


@pytest.mark.parametrize(("handler", "status"), HANDLERS)
def test_a_client_gets_a_problem(
    handler: Callable[[HttpRequest], HttpResponse], status: int
) -> None:
    response = handler(RequestFactory().get("/v1/somewhere"))

    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
