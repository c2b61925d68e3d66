"""Addresses that credentials themselves name; for machines, without login."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from apps.core.clock import now
from apps.core.models import VersionStatus
from apps.core.problems import NotFound, Problem
from apps.core.tenancy import connection
from apps.credentials.did import did_document
from apps.credentials.models import CertificationTemplateVersion, IssuerKey
from apps.credentials.openbadges import achievement_document, profile_document
from apps.credentials.selectors.issuers import Issuer, issuer, issuer_at, published_keys
from apps.credentials.selectors.statuslists import signed_bytes, status_list

JSON_LD = "application/ld+json"


@require_safe
def did_json(request: HttpRequest) -> HttpResponse:
    """Return the DID document of this host, with every key of the organisation."""
    if not IssuerKey.objects.exists():
        return _missing()
    document = did_document(did=_issuer_here().did, keys=published_keys())
    return _served(request, _json(document), "application/did+ld+json")


@require_safe
def profile(request: HttpRequest) -> HttpResponse:
    """Return the organisation's Profile, as its credentials state it."""
    return _served(request, _json(profile_document(_issuer_here().spec)), JSON_LD)


@require_safe
def achievement(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Return the Achievement of a published template version, as its credentials state it."""
    version = (
        CertificationTemplateVersion.objects.exclude(status=VersionStatus.DRAFT)
        .select_related("definition")
        .filter(pk=version_id)
        .first()
    )
    if version is None:
        return _missing()
    document = achievement_document(version.achievement(issuer().achievement_url(version.id)))
    return _served(request, _json(document), JSON_LD)


@require_safe
def status_list_credential(request: HttpRequest, purpose: str, number: int) -> HttpResponse:
    """Return a signed status list as the awards stand at this moment."""
    try:
        found = status_list(_issuer_here(), purpose, number, at=now())
    except Problem as problem:
        return _problem(problem)
    return _missing() if found is None else _served(request, found.content, "application/vc")


def _issuer_here() -> Issuer:
    """Return the organisation under the host that was asked."""
    return issuer_at(connection.tenant.domain_url) or issuer()


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _served(request: HttpRequest, content: bytes, media_type: str) -> HttpResponse:
    """Return the bytes, or 304 to who has them; any site's script may read them.

    Always revalidated: a withdrawn key or a revocation counts at once.
    """
    etag = signed_bytes(content).etag
    full = HttpResponse(content, content_type=media_type)
    response = get_conditional_response(request, etag=etag, response=full) or full
    response["ETag"] = etag
    response["Cache-Control"] = "no-cache"
    response["Access-Control-Allow-Origin"] = "*"
    return response


def _missing() -> HttpResponse:
    return _problem(NotFound())


def _problem(problem: Problem) -> HttpResponse:
    return JsonResponse(
        problem.as_dict(), status=problem.status, content_type="application/problem+json"
    )
