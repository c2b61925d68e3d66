"""Sessions in one public table, each bound to one organisation and host.

Row-level security shows an organisation only its own. Without a shared cache every request reads
the row, so that an ended session is over in every process at once; `cached_sessions` puts a
shared cache in front.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model
from django.utils import timezone

from apps.accounts.models import User
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


def columns(model: type[Model], alias: str) -> list[str]:
    """Return the columns of a model's table, in the order in which `from_db` takes them."""
    return [f'{alias}."{field.column}"' for field in model._meta.concrete_fields]


def field_names(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


@cache
def find_session() -> str:
    """Return the statement of every signed-in request, so that it is made once, not each time."""
    wanted = [*columns(UserSession, "session"), *columns(User, "person"), "member.org_role"]
    return f"""
        SELECT {", ".join(wanted)}
        FROM public.user_sessions session
        LEFT JOIN public.users person ON person.id = session.user_id
        LEFT JOIN public.org_memberships member ON member.user_id = session.user_id
            AND member.organization_id = session.organization_id AND member.status = %s
        WHERE session.session_key = %s AND session.expire_date > %s
    """  # noqa: S608 - the names are those of our models


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
        wanted = [MembershipStatus.ACTIVE, self.session_key, timezone.now()]
        with connection.cursor() as cursor:
            cursor.execute(find_session(), wanted)
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return None
        names = field_names(UserSession)
        session = UserSession.from_db(DEFAULT_DB_ALIAS, names, row[: len(names)])
        if (session.organization_id, session.host) != binding():
            self._session_key = None
            return None
        user = User.from_db(DEFAULT_DB_ALIAS, field_names(User), row[len(names) : -1])
        if user.pk is not None:
            schema, role = str(connection.schema_name), row[-1] or ""
            remember(Identity(schema_name=schema, user=user, org_role=role))
        return session


class SessionStore(BoundToOrganization, DatabaseStore):
    """Reads the row on every request."""
