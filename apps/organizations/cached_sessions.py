"""Sessions behind a cache that all processes share; the entry ends with the row."""

from __future__ import annotations

from django.contrib.sessions.backends.cached_db import SessionStore as CachedStore

from apps.organizations.sessions import BoundToOrganization


class SessionStore(BoundToOrganization, CachedStore):
    """The cache's own key function adds the organisation, so that no entry is found elsewhere."""
