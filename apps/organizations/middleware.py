"""The request's host chooses the organisation, or there is none."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import set_urlconf

from apps.core.logs import request_id
from apps.core.problems import Forbidden, NotFound, Problem
from apps.core.tenancy import connection
from apps.organizations.identity import remember
from apps.organizations.models import Organization, OrganizationDomain, ProvisioningStep

log = logging.getLogger("assay.request")

REMEMBER_SECONDS = 5.0
# Where people come in, what the organisation has just decided about its doors holds at once.
ENTRANCES = ("/accounts/", "/invitations/")
# Served for a suspended organisation too: a certificate stays verifiable.
PUBLIC_VERIFICATION = ("/v1/credentials/", "/credentials/", "/.well-known/", "/static/", "/status/")


class UnknownHost(NotFound):
    code = "unknown-host"
    title = "No organisation lives at this address."


class OrganizationSuspended(Forbidden):
    code = "organization-suspended"
    title = "This organisation is suspended."


class OrganizationMiddleware:
    """Binds the connection to the host's organisation and releases it after the answer.

    A host is remembered for a few seconds, so that most requests need no look-up; at the entrances
    it is looked up each time.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._known: dict[str, tuple[float, Organization]] = {}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = request_id.set(request.headers.get("X-Request-Id", "")[:64] or uuid.uuid4().hex)
        started = time.perf_counter()
        try:
            response = self._answer(request)
            response["X-Request-Id"] = request_id.get()
            log.info(
                "request",
                extra={
                    "method": request.method,
                    "path": request.path,
                    "status": response.status_code,
                    "ms": round((time.perf_counter() - started) * 1000, 1),
                },
            )
            return response
        finally:
            request_id.reset(token)
            set_urlconf(None)
            remember(None)
            connection.forget_tenant()

    def _answer(self, request: HttpRequest) -> HttpResponse:
        connection.forget_tenant()
        try:
            host = request.get_host().rpartition(":")[0] or request.get_host()
        except DisallowedHost:
            return refuse(request, UnknownHost())
        if host == settings.PLATFORM_HOST:
            return self._answer_of_platform(request)
        if request.path.startswith(ENTRANCES):
            self._known.pop(host.lower(), None)
        organization = self._organization(host.lower())
        if organization is None and request.path.startswith(settings.STATIC_URL):
            return self._answer_of_platform(request)  # the refusal's own stylesheet
        if organization is None:
            return refuse(request, UnknownHost())
        request.tenant = organization  # type: ignore[attr-defined]
        connection.set_tenant(organization)
        if organization.is_suspended and not request.path.startswith(PUBLIC_VERIFICATION):
            return refuse(request, OrganizationSuspended(detail=organization.name))
        return self.get_response(request)

    def _answer_of_platform(self, request: HttpRequest) -> HttpResponse:
        connection.set_schema_to_public()
        request.tenant = None  # type: ignore[attr-defined]
        request.urlconf = settings.PUBLIC_SCHEMA_URLCONF
        set_urlconf(settings.PUBLIC_SCHEMA_URLCONF)
        return self.get_response(request)

    def _organization(self, host: str) -> Organization | None:
        known = self._known.get(host)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        with connection.platform():
            domain = (
                OrganizationDomain.objects.select_related("tenant")
                .filter(domain=host, tenant__provisioning=ProvisioningStep.READY)
                .first()
            )
        if domain is None:
            self._known.pop(host, None)
            return None
        organization: Organization = domain.tenant
        organization.domain_url = host
        self._known[host] = (time.monotonic() + REMEMBER_SECONDS, organization)
        return organization


def refuse(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Return the problem as the client reads it: JSON under /v1, a page elsewhere."""
    if request.path.startswith("/v1/"):
        return JsonResponse(
            problem.as_dict(), status=problem.status, content_type="application/problem+json"
        )
    context: dict[str, Any] = {"problem": problem}
    return render(request, "problem.html", context, status=problem.status)
