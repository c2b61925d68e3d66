"""How somebody came in, and which ways in are open on an organisation's host.

A session carries the door it came through. Once single sign-on is enforced, sessions that came
through any other door are not found any more: that holds whatever view forgot to ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.core.problems import Forbidden
from apps.organizations.models import Organization

DOOR = "assay_door"
SSO = "sso"
BREAK_GLASS = "break-glass"
OPEN_WHEN_ENFORCED = frozenset({SSO, BREAK_GLASS})


class SsoEnforced(Forbidden):
    code = "sso-enforced"
    title = "Members of this organisation sign in through its identity provider only."


class SsoSession(Forbidden):
    code = "sso-session"
    title = "You signed in through your organisation: its identity provider keeps your password."


def is_enforced(organization: Organization | None) -> bool:
    """Whether single sign-on is the only way in here; never on the platform's own host."""
    return organization is not None and organization.sso_enforced


def is_let_in(organization: Organization | None, session: Mapping[str, Any]) -> bool:
    """Whether a session's content counts here: nobody's, or of somebody whose door is open."""
    if not is_enforced(organization) or "_auth_user_id" not in session:
        return True
    return session.get(DOOR) in OPEN_WHEN_ENFORCED
