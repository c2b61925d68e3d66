"""Who reacts to what: the only place where an event in one app starts work in another."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import apps.ai_logs.selectors.budgets
import apps.ai_logs.services.budgets
import apps.ai_logs.services.erasure
import apps.ai_logs.services.retention
import apps.ai_logs.services.sessions
import apps.ai_logs.tasks
import apps.assessment.ports
import apps.assessment.selectors.placing
import apps.assessment.services
import apps.assessment.tasks
import apps.cohorts.ports
import apps.cohorts.selectors
import apps.cohorts.services
import apps.cohorts.tasks
import apps.contacts.entering
import apps.contacts.members
import apps.contacts.ports
import apps.core.versions
import apps.credentials.services
import apps.credentials.tasks
import apps.programs.ports
import apps.reporting.ports
import apps.reporting.services
import apps.reporting.services.ai_usage
import apps.requirements.selectors.gates
import apps.requirements.selectors.versions
import apps.requirements.services.evaluations
import apps.search.services
import apps.search.tasks
import apps.sso.dns
import apps.sso.ports
import apps.sso.selectors
import apps.sso.tasks
from apps.core.clock import now
from apps.core.outbox import Handler


class Stage(Protocol):
    """One idempotent step of what follows from a learner's news."""

    def __call__(self, enrollment_id: UUID, *, at: datetime) -> Any: ...


ADVANCE_STAGES: tuple[Stage, ...] = (
    apps.cohorts.services.project_course_progress,
    apps.requirements.services.evaluations.evaluate_enrollment,
    apps.credentials.services.consider_awards,
    apps.reporting.services.refresh_facts,
)


def advance_learner(key: str, payloads: list[dict[str, Any]]) -> None:
    """`learner.advance`: progress, requirements, awards and facts of one enrolment, up to date."""
    for stage in ADVANCE_STAGES:
        stage(UUID(key), at=now())


OUTBOX_HANDLERS: dict[str, Handler] = {
    "learner.advance": advance_learner,
    apps.ai_logs.services.erasure.REMOVE_OBJECTS: apps.ai_logs.tasks.remove_erased,
    apps.ai_logs.services.budgets.ALERT: apps.ai_logs.tasks.tell_of_budget,
    apps.ai_logs.services.sessions.SESSION_CHANGED: (
        apps.reporting.services.ai_usage.refresh_session_usage
    ),
    apps.ai_logs.services.retention.RETENTION: apps.ai_logs.tasks.apply_retention,
    apps.assessment.services.GRADE: apps.assessment.tasks.grade,
    "cohorts.notify_promoted": apps.cohorts.tasks.notify_promoted,
    apps.cohorts.services.IMPORT: apps.cohorts.tasks.import_roster,
    apps.cohorts.services.FORGET: apps.cohorts.tasks.forget_roster,
    apps.credentials.services.EXPIRE: apps.credentials.tasks.expire,
    apps.contacts.members.SEND_INVITATION: apps.contacts.members.send_invitation,
    apps.contacts.entering.BREAK_GLASS_USED: apps.sso.tasks.tell_owners_of_break_glass,
    **apps.search.tasks.HANDLERS,
}

# What a message is about, for people who look at the outbox: the row that its key names.
OUTBOX_SUBJECTS: dict[str, str] = {
    "learner.advance": "cohorts.cohortenrollment",
    apps.ai_logs.services.erasure.REMOVE_OBJECTS: "ai_logs.aisession",
    apps.ai_logs.services.sessions.SESSION_CHANGED: "ai_logs.aisession",
    "cohorts.notify_promoted": "cohorts.cohortenrollment",
    apps.assessment.services.GRADE: "assessment.assessmentattempt",
    apps.credentials.services.EXPIRE: "credentials.certificationaward",
    "search.index_course": "programs.course",
    "search.index_program": "programs.program",
    "search.index_assessment": "assessment.assessmenttemplate",
}

apps.core.versions.definition_changed.bind(apps.search.services.owe_index)
apps.programs.ports.publication_checks.bind(apps.assessment.selectors.placing.unplaced_items)
apps.programs.ports.readable_program_versions.bind(apps.cohorts.selectors.readable_program_versions)
apps.contacts.ports.may_make_tokens.bind(apps.sso.selectors.may_make_tokens)
apps.sso.ports.txt_records.bind(apps.sso.dns.txt_records)
apps.reporting.ports.documents_unlike_content.bind(apps.search.services.unlike_sources)
apps.contacts.ports.ai_cost_this_month.bind(apps.ai_logs.selectors.budgets.spent_this_month)
apps.contacts.ports.staffed_cohort_ids.bind(apps.cohorts.selectors.staffed_cohort_ids)
apps.cohorts.ports.program_is_ready.bind(apps.requirements.selectors.versions.program_is_ready)
apps.cohorts.ports.may_open_items.bind(apps.requirements.selectors.gates.may_open_items_of)
apps.assessment.ports.may_start.bind(apps.requirements.selectors.gates.may_start)
