"""The addresses under which browsers reach us."""

from __future__ import annotations

from django.conf import settings


def base_url(domain: str) -> str:
    """Return scheme, host and port under which browsers reach a host of ours."""
    port = f":{settings.PUBLIC_PORT}" if settings.PUBLIC_PORT else ""
    return f"{settings.PUBLIC_SCHEME}://{domain}{port}"
