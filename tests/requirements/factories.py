"""Requirement sets and learners' deeds for tests, made through the same services as everybody's."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from apps.cohorts.events import EventType
from apps.cohorts.models import AttendanceRecord, CohortEnrollment, CohortSession, ProgressEvent
from apps.cohorts.services import (
    AttendanceEntry,
    Meeting,
    project_course_progress,
    record_attendance,
    record_event,
    schedule_session,
)
from apps.contacts.models import Contact
from apps.core.versions import publish
from apps.programs.models import Course, Program
from apps.requirements.graph import EdgeSpec, NodeSpec
from apps.requirements.models import (
    Purpose,
    RequirementEdge,
    RequirementEvaluation,
    RequirementEvidenceLink,
    RequirementNode,
    RequirementSet,
    RequirementSetVersion,
)
from tests.cohorts.factories import NOON, item_of
from tests.programs.factories import AUTHORED

DAY = timedelta(days=1)


def draft_set(
    program: Program,
    *parts: NodeSpec | EdgeSpec,
    slug: str = "ladder",
    purpose: str = Purpose.PROGRESSION,
) -> RequirementSetVersion:
    """Return the draft of a new set of this program, with these nodes and edges."""
    definition = RequirementSet.objects.create(
        slug=slug, title=slug.title(), program=program, purpose=purpose
    )
    draft = RequirementSetVersion.objects.create(definition=definition)
    draw(draft, *parts)
    return draft


def draw(draft: RequirementSetVersion, *parts: NodeSpec | EdgeSpec) -> None:
    """Add nodes and edges to a draft."""
    for position, spec in enumerate(part for part in parts if isinstance(part, NodeSpec)):
        node_row(draft, spec, position=position + 1).save(force_insert=True)
    nodes = {node.key: node for node in draft.nodes.all()}
    for edge in parts:
        if isinstance(edge, EdgeSpec):
            RequirementEdge.objects.create(
                version=draft,
                source=nodes[edge.source],
                target=nodes[edge.target],
                kind=edge.kind,
                condition=edge.condition,
                threshold=edge.threshold,
            )


def node_row(draft: RequirementSetVersion, spec: NodeSpec, *, position: int = 1) -> RequirementNode:
    """Return the row of a node, unsaved."""
    return RequirementNode(
        version=draft,
        key=spec.key,
        kind=spec.kind,
        title=spec.title or spec.key.title(),
        position=position,
        course_id=spec.course,
        module_key=spec.module_key,
        item_key=spec.item_key,
        assessment_id=spec.assessment,
        min_percent=spec.min_percent,
        attendance_count=spec.attendance_count,
        attendance_percent=spec.attendance_percent,
        signoff_capability=spec.signoff_capability,
        credential_program_id=spec.credential_program,
        group_min_count=spec.group_min_count,
        group_min_credits=spec.group_min_credits,
        credits=spec.credits,
        deadline_days=spec.deadline_days,
        deadline_on=spec.deadline_on,
        retention=spec.retention,
        is_root=spec.is_root,
    )


def published_set(
    program: Program,
    *parts: NodeSpec | EdgeSpec,
    slug: str = "ladder",
    purpose: str = Purpose.PROGRESSION,
) -> RequirementSetVersion:
    """Return version 1 of a new set of this program."""
    draft = draft_set(program, *parts, slug=slug, purpose=purpose)
    return publish(version=draft, actor=None, at=AUTHORED)


def program_of(enrollment: CohortEnrollment) -> Program:
    program: Program = enrollment.cohort.program_version.definition
    return program


def course_of(enrollment: CohortEnrollment) -> UUID:
    """Return the id of the one course that the enrolment's program pins."""
    versions = enrollment.cohort.program_version.courses
    return versions.get().course_version.definition_id


def complete_item(enrollment: CohortEnrollment, key: str, *, at: datetime = NOON) -> ProgressEvent:
    """Record that the learner completed an item, and bring the course's progress up to date."""
    item = item_of(enrollment.cohort, key)
    event = record_event(
        enrollment=enrollment,
        type=EventType.ITEM_COMPLETED,
        entity=item,
        course=Course.objects.get(versions=item.version_id),
        occurred_at=at,
    )
    project_course_progress(enrollment.id, at=at)
    return event


def sessions_of(enrollment: CohortEnrollment, count: int) -> list[CohortSession]:
    """Return new required sessions of the enrolment's cohort, on successive days before NOON."""
    return [
        schedule_session(
            cohort=enrollment.cohort,
            meeting=Meeting(f"Day {number}"),
            starts_at=NOON - (count - number + 1) * DAY,
            ends_at=NOON - (count - number + 1) * DAY + timedelta(hours=1),
            actor=None,
        )
        for number in range(1, count + 1)
    ]


def attend(
    enrollment: CohortEnrollment, session: CohortSession, status: str, *, by: Contact
) -> AttendanceRecord:
    """Record attendance, or correct what was recorded."""
    [record] = record_attendance(
        session=session,
        entries=[AttendanceEntry(enrollment.id, status)],
        recorded_by=by,
        at=NOON,
    )
    return record


def decided(enrollment: CohortEnrollment) -> list[tuple[str, str]]:
    """Return (key, status) of everything recorded about an enrolment, as it was recorded."""
    rows = RequirementEvaluation.objects.filter(enrollment=enrollment).order_by("recorded_at")
    return list(rows.values_list("node__key", "status"))


def evaluation_of(enrollment: CohortEnrollment, key: str) -> RequirementEvaluation:
    """Return the current decision about a node."""
    return RequirementEvaluation.objects.filter(enrollment=enrollment, node__key=key).latest(
        "revision"
    )


def evidence_of(evaluation: RequirementEvaluation) -> list[tuple[str, UUID]]:
    """Return (kind, row) of everything a decision rests on, the primary piece first."""
    links = RequirementEvidenceLink.objects.filter(evaluation_id=evaluation.id)
    return [(link.kind, link.target_id) for link in links.order_by("position")]
