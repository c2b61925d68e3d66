"""How sessions end otherwise than by signing out: somebody is sent away, or time is over."""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import partial

from django.conf import settings
from django.core.cache import caches
from django.db import transaction

from apps.core.tenancy import tenant_context
from apps.organizations.cached_sessions import SessionStore
from apps.organizations.models import Organization, UserSession

AT_ONCE = 10_000


def end_sessions(*, organization_id: uuid.UUID, user_id: uuid.UUID) -> int:
    """Sign a user out of an organisation in every browser; return of how many.

    Call inside `connection.platform()` and a transaction. A shared cache forgets them with the
    commit; one that is gone just then forgets them by itself within SESSION_SECONDS.
    """
    ended = UserSession.objects.filter(organization_id=organization_id, user_id=user_id)
    keys = list(ended.values_list("session_key", flat=True))
    if keys:
        ended.filter(session_key__in=keys).delete()
        organization = Organization.objects.get(pk=organization_id)
        transaction.on_commit(partial(_forget, organization, keys))
    return len(keys)


def _forget(organization: Organization, keys: list[str]) -> None:
    with tenant_context(organization):
        names = [SessionStore.cache_key_prefix + key for key in keys]
        caches[settings.SESSION_CACHE_ALIAS].delete_many(names)


def forget_expired_sessions(*, at: datetime) -> int:
    """Remove sessions that time has ended, AT_ONCE at a time; return how many.

    Call inside `connection.platform()`.
    """
    forgotten = 0
    while True:
        expired = UserSession.objects.filter(expire_date__lt=at).order_by("expire_date")
        keys = list(expired.values_list("session_key", flat=True)[:AT_ONCE])
        if not keys:
            return forgotten
        removed, _by_model = UserSession.objects.filter(
            session_key__in=keys, expire_date__lt=at
        ).delete()
        forgotten += removed
