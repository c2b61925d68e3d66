"""Sessions in one public table, each bound to one organisation and host.

Row-level security shows an organisation only its own. Without a shared cache every request reads
the row, so that an ended session is over in every process at once; `cached_sessions` puts a
shared cache in front.
"""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import F, FilteredRelation, Q
from django.utils import timezone

from apps.core.db.base import PUBLIC_SCHEMA
from apps.core.tenancy import connection
from apps.organizations.doors import is_let_in
from apps.organizations.identity import Identity, remember
from apps.organizations.models import MembershipStatus, UserSession


def binding() -> tuple[Any, str]:
    """Return the organisation's id (None on the platform's host) and the host in force."""
    if connection.schema_name == PUBLIC_SCHEMA:
        return None, ""
    return connection.tenant.id, connection.tenant.domain_url or ""


def membership_here() -> FilteredRelation:
    """Return the join of a session's user with their active membership of its organisation."""
    return FilteredRelation(
        "user__memberships",
        condition=Q(
            user__memberships__organization_id=binding()[0],
            user__memberships__status=MembershipStatus.ACTIVE,
        ),
    )


class BoundToOrganization(SessionBase):
    """What both stores share: rows carry the organisation and host, others are not found."""

    @classmethod
    def get_model_class(cls) -> type[UserSession]:
        return UserSession

    def load(self) -> dict[str, Any]:
        """Return what the session holds, or nothing if its door has been closed since."""
        data: dict[str, Any] = super().load()
        return data if is_let_in(connection.tenant, data) else {}

    def create_model_instance(self, data: dict[str, Any]) -> UserSession:
        session: UserSession = super().create_model_instance(data)  # type: ignore[misc]
        session.organization_id, session.host = binding()
        session.user_id = data.get("_auth_user_id")
        return session

    def _get_session_from_db(self) -> UserSession | None:
        """Return the row if it is of this organisation and host, with its user and their role.

        One statement for all three; what it told is kept for the authentication backend.
        """
        session = (
            UserSession.objects.select_related("user")
            .alias(member=membership_here())
            .annotate(org_role=F("member__org_role"))
            .filter(session_key=self.session_key, expire_date__gt=timezone.now())
            .first()
        )
        if session is None or (session.organization_id, session.host) != binding():
            self._session_key = None
            return None
        if session.user is not None:
            schema, role = str(connection.schema_name), session.org_role or ""
            remember(Identity(schema_name=schema, user=session.user, org_role=role))
        return session


class SessionStore(BoundToOrganization, DatabaseStore):
    """Reads the row on every request."""
