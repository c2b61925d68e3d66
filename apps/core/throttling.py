"""Rate limits: for each caller of the API, and for each address that asks about credentials."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle


class SlidingWindow(SimpleRateThrottle):
    """So many requests in the last so many seconds.

    The request keeps the window's state for the `RateLimit-*` headers
    (draft-ietf-httpapi-ratelimit-headers).
    """

    num_requests: int | None
    duration: int | None

    def allow_request(self, request: Any, view: Any = None) -> bool:
        allowed = bool(super().allow_request(request, view))
        plain: Any = request._request if isinstance(request, Request) else request
        limit, used = self.num_requests or 0, len(getattr(self, "history", []))
        plain.rate_limit = (limit, max(0, limit - used), self.duration)
        return allowed


class PrincipalThrottle(SlidingWindow):
    """A window for each contact, or for each address of strangers."""

    scope = "principal"

    def allow_request(self, request: Request, view: Any = None) -> bool:
        principal = getattr(request, "principal", None)
        self.scope = "principal" if principal else "anonymous"
        self.rate = self.get_rate()
        self.num_requests, self.duration = self.parse_rate(self.rate)
        return super().allow_request(request, view)

    def get_cache_key(self, request: Request, view: Any) -> str:
        principal = getattr(request, "principal", None)
        ident = str(principal.contact_id) if principal else self.get_ident(request)
        return f"throttle.{self.scope}.{ident}"


class VerificationThrottle(SlidingWindow):
    """A window for each address that asks whether credentials are genuine.

    Pages and endpoints share it, and nobody signs in for them, so that only addresses count.
    """

    scope = "verification"

    def get_cache_key(self, request: Any, view: Any) -> str:
        return f"throttle.{self.scope}.{self.get_ident(request)}"
