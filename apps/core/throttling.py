"""Rate limits: for each caller of the API, and for each address that asks about credentials."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle


class SlidingWindow(SimpleRateThrottle):
    """So many requests in the last so many seconds, counted by two numbers for each caller.

    The count of the window before counts by the share of it that still lies within the last
    seconds (a sliding window counter). The request keeps the state for the `RateLimit-*` headers
    (draft-ietf-httpapi-ratelimit-headers). Processes share the counts where they share a cache.
    """

    num_requests: int | None
    duration: int | None

    def allow_request(self, request: Any, view: Any = None) -> bool:
        limit, seconds = self.num_requests or 0, self.duration or 1
        number, elapsed = divmod(self.timer(), seconds)
        name = self.get_cache_key(request, view)
        now, before = f"{name}.{int(number)}", f"{name}.{int(number) - 1}"
        counts = self.cache.get_many([now, before])
        current, previous = counts.get(now, 0), counts.get(before, 0)
        used = current + previous * (1 - elapsed / seconds)
        allowed = bool(used + 1 <= limit)
        if allowed:
            self._count(now, current, 2 * seconds)
            used += 1
        self._left = seconds - elapsed
        plain: Any = request._request if isinstance(request, Request) else request
        plain.rate_limit = (limit, max(0, int(limit - used)), math.ceil(self._left))
        return allowed

    def _count(self, key: str, known: int, seconds: int) -> None:
        if not known:
            self.cache.add(key, 0, seconds)
        # It may have gone in between: then counting begins anew.
        with suppress(ValueError):
            self.cache.incr(key)

    def wait(self) -> float:
        """Return the seconds until the window in force is over."""
        return self._left


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
