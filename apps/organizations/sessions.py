"""Sessions in one public table, each bound to one organisation and host.

Row-level security shows an organisation only its own. Without a shared cache every request reads
the row, so that an ended session is over in every process at once; `cached_sessions` puts a
shared cache in front.
"""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from apps.core.db.base import PUBLIC_SCHEMA
from apps.core.tenancy import connection
from apps.organizations.models import UserSession


def binding() -> tuple[Any, str]:
    """Return the organisation's id (None on the platform's host) and the host in force."""
    if connection.schema_name == PUBLIC_SCHEMA:
        return None, ""
    return connection.tenant.id, connection.tenant.domain_url or ""


class BoundToOrganization(SessionBase):
    """What both stores share: rows carry the organisation and host, others are not found."""

    @classmethod
    def get_model_class(cls) -> type[UserSession]:
        return UserSession

    def create_model_instance(self, data: dict[str, Any]) -> UserSession:
        session: UserSession = super().create_model_instance(data)  # type: ignore[misc]
        session.organization_id, session.host = binding()
        session.user_id = data.get("_auth_user_id")
        return session

    def _get_session_from_db(self) -> UserSession | None:
        session: UserSession | None = super()._get_session_from_db()  # type: ignore[misc]
        if session is None or (session.organization_id, session.host) != binding():
            self._session_key = None
            return None
        return session


class SessionStore(BoundToOrganization, DatabaseStore):
    """Reads the row on every request."""
