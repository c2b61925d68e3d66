"""Who may do what, in one table: an organisation's role -> capabilities."""

from __future__ import annotations

from enum import StrEnum

from apps.organizations.models import OrgRole


class Capability(StrEnum):
    """What a member of an organisation can be allowed to do there."""

    VIEW_CONTENT = "view_content"
    AUTHOR_CONTENT = "author_content"
    RUN_COHORTS = "run_cohorts"
    TAKE_ATTENDANCE = "take_attendance"
    GRADE = "grade"
    SIGN_OFF = "sign_off"
    WAIVE = "waive"
    AWARD = "award"
    VIEW_LEARNERS = "view_learners"
    MANAGE_CONTACTS = "manage_contacts"
    MANAGE_MEMBERS = "manage_members"
    VIEW_ANALYTICS = "view_analytics"
    AUDIT_READ = "audit_read"
    VIEW_COMMERCE = "view_commerce"
    MANAGE_COMMERCE = "manage_commerce"
    MANAGE_SETTINGS = "manage_settings"
    MANAGE_OWNERS = "manage_owners"
    USE_BACK_OFFICE = "use_back_office"
    INGEST_AI = "ingest_ai"
    READ_CONVERSATIONS = "read_conversations"
    ERASE_CONVERSATIONS = "erase_conversations"
    REVIEW_SAFETY = "review_safety"
    SET_RETENTION = "set_retention"


C = Capability

# Of these an instructor has what concerns a cohort only for the cohorts they staff.
COHORT_SCOPED = frozenset(
    {
        C.RUN_COHORTS,
        C.TAKE_ATTENDANCE,
        C.GRADE,
        C.SIGN_OFF,
        C.VIEW_LEARNERS,
        C.VIEW_ANALYTICS,
        C.READ_CONVERSATIONS,
        C.REVIEW_SAFETY,
    }
)

# Everything that only looks; the whole of what an auditor has.
READING = frozenset(
    {
        C.VIEW_CONTENT,
        C.VIEW_LEARNERS,
        C.VIEW_ANALYTICS,
        C.AUDIT_READ,
        C.USE_BACK_OFFICE,
        C.READ_CONVERSATIONS,
        C.VIEW_COMMERCE,
    }
)

CAPABILITIES: dict[str, frozenset[Capability]] = {
    OrgRole.OWNER: frozenset(Capability),
    OrgRole.ADMIN: frozenset(Capability) - {C.MANAGE_OWNERS, C.SET_RETENTION},
    OrgRole.INSTRUCTOR: COHORT_SCOPED | {C.VIEW_CONTENT, C.AUTHOR_CONTENT, C.USE_BACK_OFFICE},
    OrgRole.AUDITOR: READING,
    OrgRole.LEARNER: frozenset(),
}

# Roles whose cohort-scoped capabilities hold in every cohort.
UNSCOPED_ROLES = frozenset({OrgRole.OWNER, OrgRole.ADMIN, OrgRole.AUDITOR})
