"""Which door somebody is coming through, kept from its opening to the end of the sign-in.

Between the two may lie another page, for a second factor: the session carries it meanwhile.
"""

from __future__ import annotations

from django.http import HttpRequest

from apps.accounts.models import User
from apps.organizations import doors

ENTERING = "assay_entering"
BREAK_GLASS_USED = "sso.break_glass_used"


def announce(request: HttpRequest, *, user: User, door: str) -> None:
    """Remember through which door this user is about to be signed in."""
    request.session[ENTERING] = {"user": str(user.pk), "door": door}


def announced_door(request: HttpRequest, user: User) -> str:
    """Return the door through which this user is coming; the ordinary one is ""."""
    entering = request.session.get(ENTERING) or {}
    return str(entering["door"]) if entering.get("user") == str(user.pk) else ""


def came_through(request: HttpRequest) -> str:
    """Return the door through which whoever is signed in came; the ordinary one is ""."""
    return str(request.session.get(doors.DOOR, ""))
