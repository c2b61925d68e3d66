"""Who is asking: one object for admin, pages and API."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from apps.contacts.capabilities import CAPABILITIES, COHORT_SCOPED, UNSCOPED_ROLES, Capability
from apps.contacts.models import Contact


@dataclass(frozen=True)
class Principal:
    """A person in one organisation, with what they may do there.

    `cohort_ids` are the cohorts they staff; `scopes` narrow a token (empty: no narrowing);
    `contact` is the row of `contact_id` where it was loaded along.
    """

    user_id: uuid.UUID | None
    contact_id: uuid.UUID
    org_id: uuid.UUID
    org_role: str
    cohort_ids: frozenset[uuid.UUID] = frozenset()
    platform_roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    contact: Contact | None = field(default=None, compare=False, repr=False)

    def has(self, capability: str) -> bool:
        """Whether the role has this capability at all, in some cohort at least."""
        if capability not in CAPABILITIES.get(self.org_role, frozenset()):
            return False
        return not self.scopes or str(capability) in self.scopes

    def can(self, capability: str, *, cohort_id: uuid.UUID | None = None) -> bool:
        """Whether they may do this, and where it concerns a cohort, in that one.

        Without a cohort the answer for a cohort-scoped capability is that of `has`: lists are
        narrowed by `visible_cohorts` then.
        """
        if not self.has(capability):
            return False
        scoped = capability in COHORT_SCOPED and self.org_role not in UNSCOPED_ROLES
        return not scoped or cohort_id is None or cohort_id in self.cohort_ids

    @property
    def visible_cohorts(self) -> frozenset[uuid.UUID] | None:
        """The cohorts whose people they may see, or None for all."""
        if self.org_role in UNSCOPED_ROLES:
            return None
        return self.cohort_ids if self.has(Capability.VIEW_LEARNERS) else frozenset()
