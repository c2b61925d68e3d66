"""Writes about credentials: keys, awards, what becomes of them, and holds."""

from apps.credentials.services.awards import (
    EXPIRE,
    AwardOutcome,
    ForeignProgram,
    RequirementsOpen,
    TemplateNotPublished,
    consider_awards,
    grant_award,
)
from apps.credentials.services.holds import AwardIsMade, HoldResolved, open_hold, resolve_hold
from apps.credentials.services.issuing import MEDIA_TYPE, issue_document
from apps.credentials.services.keys import KeyRevoked, ensure_issuer_key, revoke_key, rotate_key
from apps.credentials.services.lifecycle import (
    AwardStateConflict,
    record_expiry,
    reinstate_award,
    revoke_award,
    suspend_award,
)
from apps.credentials.services.people import OwnAward

__all__ = [
    "EXPIRE",
    "MEDIA_TYPE",
    "AwardIsMade",
    "AwardOutcome",
    "AwardStateConflict",
    "ForeignProgram",
    "HoldResolved",
    "KeyRevoked",
    "OwnAward",
    "RequirementsOpen",
    "TemplateNotPublished",
    "consider_awards",
    "ensure_issuer_key",
    "grant_award",
    "issue_document",
    "open_hold",
    "record_expiry",
    "reinstate_award",
    "resolve_hold",
    "revoke_award",
    "revoke_key",
    "rotate_key",
    "suspend_award",
]
