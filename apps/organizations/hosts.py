"""The addresses under which browsers reach us."""

from __future__ import annotations

import re
from typing import Final

from django.conf import settings

from apps.core.problems import FieldError, Invalid

# RFC 1123, section 2.1: letters, digits and hyphens, none of them at an end.
LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
MAX_SLUG: Final = 50
MAX_NAME: Final = 200
MAX_HOST: Final = 253


def base_url(domain: str) -> str:
    """Return scheme, host and port under which browsers reach a host of ours."""
    port = f":{settings.PUBLIC_PORT}" if settings.PUBLIC_PORT else ""
    return f"{settings.PUBLIC_SCHEME}://{domain}{port}"


def require_names(*, slug: str, name: str, host: str) -> None:
    """Raise Invalid unless an organisation can be called, and reached, by these."""
    faults: list[FieldError] = []
    if not LABEL.fullmatch(slug) or len(slug) > MAX_SLUG:
        told = f"1 to {MAX_SLUG} small letters, digits and hyphens, no hyphen at an end"
        faults.append({"field": "slug", "code": "invalid", "message": told})
    if not name or len(name) > MAX_NAME or not name.isprintable():
        told = f"1 to {MAX_NAME} characters"
        faults.append({"field": "name", "code": "invalid", "message": told})
    if len(host) > MAX_HOST or not all(map(LABEL.fullmatch, host.split("."))):
        told = "a host as it stands in an address, without scheme and port"
        faults.append({"field": "host", "code": "invalid", "message": told})
    if faults:
        raise Invalid(errors=faults)
