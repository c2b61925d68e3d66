"""The platform's own pages, and the health of this process for load balancers."""

from __future__ import annotations

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from apps.core.tenancy import connection


@require_safe
def platform_home(request: HttpRequest) -> HttpResponse:
    """Return the platform's front page; it lists no organisations."""
    return render(request, "platform_home.html")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Lead to the icon, which browsers ask for here wherever a page names none."""
    return redirect(static("assay.svg"), permanent=True)


@require_safe
def status(request: HttpRequest) -> JsonResponse:
    """Return 200 when this process reaches its database, else 503."""
    try:
        with connection.platform(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except OperationalError:
        return JsonResponse({"database": "unreachable"}, status=503)
    return JsonResponse({"database": "ok"})
