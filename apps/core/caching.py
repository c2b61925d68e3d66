"""The cache: each organisation's own keys, in memory of the process or in Redis.

Losing it loses nothing. Keys carry the organisation, so that one's entry can never answer
another's question.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError

from apps.core.tenancy import connection

log = logging.getLogger(__name__)

V = TypeVar("V")

RETRY_SECONDS: Final = 5.0
SESSION_SECONDS: Final = 300


def organization_key(key: str, key_prefix: str, version: int) -> str:
    """Return the key under the schema in force ("-" before one is chosen)."""
    return f"{connection.schema_name or '-'}:{key_prefix}:{version}:{key}"


class ForgivingClient(RedisCacheClient):
    """Takes a Redis that is gone for an empty one: nothing is found, nothing is kept.

    After a failure it is left alone for RETRY_SECONDS, so that not every request waits for it.
    """

    def __init__(self, servers: Any, **options: Any) -> None:
        super().__init__(servers, **options)
        self._left_alone_until = 0.0

    def _try(self, ask: Callable[[], V], otherwise: V) -> V:
        if time.monotonic() < self._left_alone_until:
            return otherwise
        try:
            return ask()
        except RedisError as error:
            self._left_alone_until = time.monotonic() + RETRY_SECONDS
            log.warning("cache not reached, going on without", extra={"error": repr(error)})
            return otherwise

    def add(self, key: Any, value: Any, timeout: Any) -> bool:
        ask = super().add
        return self._try(lambda: ask(key, value, timeout), True)

    def get(self, key: Any, default: Any) -> Any:
        ask = super().get
        return self._try(lambda: ask(key, default), default)

    def set(self, key: Any, value: Any, timeout: Any) -> None:
        ask = super().set
        self._try(lambda: ask(key, value, timeout), None)

    def touch(self, key: Any, timeout: Any) -> bool:
        ask = super().touch
        return self._try(lambda: ask(key, timeout), False)

    def delete(self, key: Any) -> bool:
        ask = super().delete
        return self._try(lambda: ask(key), False)

    def get_many(self, keys: Any) -> dict[Any, Any]:
        ask = super().get_many
        return self._try(lambda: ask(keys), {})

    def has_key(self, key: Any) -> bool:
        ask = super().has_key
        return self._try(lambda: ask(key), False)

    def incr(self, key: Any, delta: Any) -> Any:
        """Return the new number; without the cache, `delta`, as if counting began here."""
        ask = super().incr
        return self._try(lambda: ask(key, delta), delta)

    def set_many(self, data: Any, timeout: Any) -> None:
        ask = super().set_many
        self._try(lambda: ask(data, timeout), None)

    def delete_many(self, keys: Any) -> None:
        ask = super().delete_many
        self._try(lambda: ask(keys), None)

    def clear(self) -> bool:
        ask = super().clear
        return self._try(ask, False)


class SharedCache(RedisCache):
    """Redis, which may be empty or gone."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = ForgivingClient


class SessionCache(SharedCache):
    """In front of the table of sessions, for SESSION_SECONDS at most.

    A session that ended while Redis could not be told must not come back with it for long.
    """

    def get_backend_timeout(self, timeout: Any = DEFAULT_TIMEOUT) -> int:
        wanted = super().get_backend_timeout(timeout)
        return SESSION_SECONDS if wanted is None else min(int(wanted), SESSION_SECONDS)
