"""Rate limits for each caller, told in the answer's headers."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle


class PrincipalThrottle(SimpleRateThrottle):
    """A sliding window for each contact, or each address for strangers.

    The request keeps the window's state for the `RateLimit-*` headers
    (draft-ietf-httpapi-ratelimit-headers).
    """

    scope = "principal"

    def allow_request(self, request: Request, view: Any) -> bool:
        principal = getattr(request, "principal", None)
        self.scope = "principal" if principal else "anonymous"
        self.rate = self.get_rate()
        self.num_requests, self.duration = self.parse_rate(self.rate)
        allowed = bool(super().allow_request(request, view))
        used = len(getattr(self, "history", []))
        request._request.rate_limit = (  # type: ignore[attr-defined]
            self.num_requests,
            max(0, (self.num_requests or 0) - used),
            self.duration,
        )
        return allowed

    def get_cache_key(self, request: Request, view: Any) -> str:
        principal = getattr(request, "principal", None)
        ident = str(principal.contact_id) if principal else self.get_ident(request)
        return f"throttle.{self.scope}.{ident}"
