"""Loading history: every row that could matter to a batch of learners, a statement for a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.assessment.models import AssessmentAttempt, AssessmentResult, ResultRelease
from apps.assessment.rules.policy import read_policy
from apps.cohorts.models import AttendanceRecord, ProgressEvent
from apps.core.models import VersionStatus
from apps.programs.models import ModuleItem
from apps.requirements.history import COMPLETION_EVENTS, CREDENTIAL_EVENTS
from apps.requirements.models import (
    RequirementEvaluation,
    RequirementEvidenceLink,
    SignOff,
    SignOffStatus,
    Waiver,
    WaiverStatus,
    pointer_field,
)
from apps.requirements.needs import Needs
from apps.requirements.rows import (
    AttemptRow,
    AttendanceRow,
    EvaluationRow,
    EventRow,
    History,
    LinkRow,
    Place,
    ReleaseRow,
    ResultRow,
    WordRow,
)
from apps.requirements.selectors.subjects import Subject
from apps.requirements.statuses import MET, EvidenceKind


def places(course_ids: Collection[UUID]) -> dict[UUID, Place]:
    """Return module item -> where it stands, in all published versions of these courses."""
    if not course_ids:
        return {}
    rows = ModuleItem.objects.filter(version__definition__in=course_ids).exclude(
        version__status=VersionStatus.DRAFT
    )
    values = rows.values_list("id", "version__definition_id", "key", "module__key")
    return {item_id: Place(course_id, key, module) for item_id, course_id, key, module in values}


def histories(subjects: Collection[Subject], needs: Needs) -> dict[UUID, History]:
    """Return enrolment -> the rows of its subject, in the order in which they were recorded."""
    found = {subject.enrollment_id: History() for subject in subjects}
    owners: dict[UUID, list[History]] = defaultdict(list)
    people: dict[UUID, list[History]] = defaultdict(list)
    for subject in subjects:
        history = found[subject.enrollment_id]
        for enrollment_id in subject.enrollments:
            owners[enrollment_id].append(history)
        for contact_id in subject.contacts:
            people[contact_id].append(history)
    if needs.attendance:
        _load_attendance(owners)
    if needs.courses:
        _load_events(owners)
    if needs.programs:
        _load_credential_events(people)
    if needs.assessments:
        _load_results(owners, subjects, needs.assessments)
    if needs.signoffs:
        _load_words(owners, SignOff, SignOffStatus.WITHDRAWN)
    _load_words(owners, Waiver, WaiverStatus.WITHDRAWN)
    _load_decisions(found)
    return found


Owners = Mapping[UUID, list[History]]


def _load_attendance(owners: Owners) -> None:
    rows = AttendanceRecord.objects.filter(enrollment__in=list(owners)).order_by("id")
    for row in rows.values_list(
        "id", "session_id", "enrollment_id", "revision", "status", "recorded_at"
    ):
        for history in owners[row[2]]:
            history.attendance.append(AttendanceRow(*row))


_EVENT_COLUMNS = (
    "id",
    "enrollment_id",
    "type",
    "course_id",
    "entity_id",
    "payload",
    "occurred_at",
    "recorded_at",
)


def _load_events(owners: Owners) -> None:
    rows = ProgressEvent.objects.filter(
        enrollment__in=list(owners), type__in=COMPLETION_EVENTS
    ).order_by("recorded_at", "id")
    for row in rows.values_list(*_EVENT_COLUMNS):
        for history in owners[row[1]]:
            history.events.append(EventRow(*row))


def _load_credential_events(people: Owners) -> None:
    rows = ProgressEvent.objects.filter(
        contact__in=list(people), type__in=CREDENTIAL_EVENTS
    ).order_by("recorded_at", "id")
    for contact_id, *row in rows.values_list("contact_id", *_EVENT_COLUMNS):
        for history in people[contact_id]:
            history.credential_events.append(EventRow(*row))


_ATTEMPT_COLUMNS = (
    "enrollment",
    "template",
    "version",
    "attempt_no",
    "status",
    "submitted_at",
    "policy",
)


def _load_results(
    owners: Owners, subjects: Collection[Subject], templates: Collection[UUID]
) -> None:
    attempts = AssessmentAttempt.objects.filter(
        enrollment__in=list(owners), template__in=templates
    ).order_by("id")
    of_attempt: dict[UUID, list[History]] = {}
    for row in attempts.select_related("enrollment", "version").only(
        *_ATTEMPT_COLUMNS, "enrollment__cohort_id", "version__result_policy"
    ):
        attempt = AttemptRow(
            id=row.id,
            enrollment=row.enrollment_id,
            cohort=row.enrollment.cohort_id,
            template=row.template_id,
            version=row.version_id,
            attempt_no=row.attempt_no,
            status=row.status,
            submitted_at=row.submitted_at,
            result_policy=row.version.result_policy,
            policy=read_policy(row.policy),
        )
        of_attempt[attempt.id] = owners[attempt.enrollment]
        for history in owners[attempt.enrollment]:
            history.attempts.append(attempt)
    results = AssessmentResult.objects.filter(
        attempt__enrollment__in=list(owners), attempt__template__in=templates
    ).order_by("id")
    for result in results.values_list(
        "id", "attempt_id", "revision", "percent", "passed", "is_final", "is_void", "recorded_at"
    ):
        for history in of_attempt.get(result[1], ()):
            history.results.append(ResultRow(*result))
    _load_releases(owners, subjects, templates, of_attempt)


def _load_releases(
    owners: Owners,
    subjects: Collection[Subject],
    templates: Collection[UUID],
    of_attempt: Mapping[UUID, list[History]],
) -> None:
    by_cohort: dict[UUID, list[History]] = defaultdict(list)
    for subject in subjects:
        by_cohort[subject.cohort_id] += owners[subject.enrollment_id][:1]
    rows = (
        ResultRelease.objects.filter(template__in=templates)
        .filter(Q(cohort__in=list(by_cohort)) | Q(attempt__enrollment__in=list(owners)))
        .order_by("recorded_at", "id")
        .values_list("template_id", "cohort_id", "attempt_id", "is_released", "recorded_at")
    )
    for row in rows:
        release = ReleaseRow(*row)
        concerned = (
            by_cohort[release.cohort]
            if release.cohort is not None
            else of_attempt.get(release.attempt, ())
            if release.attempt is not None
            else ()
        )
        for history in concerned:
            history.releases.append(release)


def _load_words(owners: Owners, model: type[SignOff] | type[Waiver], withdrawn: str) -> None:
    rows = model._default_manager.filter(enrollment__in=list(owners)).order_by("recorded_at", "id")
    expires_at = "expires_at" if model is Waiver else "occurred_at"
    for row in rows.values_list(
        "enrollment_id",
        "id",
        "node__version__definition_id",
        "node__key",
        "revision",
        "status",
        "occurred_at",
        expires_at,
        "recorded_at",
    ):
        enrollment_id, word_id, set_id, key, revision, status, at, until, recorded_at = row
        word = WordRow(
            id=word_id,
            set=set_id,
            key=key,
            revision=revision,
            is_withdrawn=status == withdrawn,
            occurred_at=at,
            expires_at=until if model is Waiver else None,
            recorded_at=recorded_at,
        )
        for history in owners[enrollment_id]:
            (history.waivers if model is Waiver else history.signoffs).append(word)


def _load_decisions(found: Mapping[UUID, History]) -> None:
    """Load the enrolments' own decisions; those of aliases are decisions about the aliases."""
    rows = RequirementEvaluation.objects.filter(enrollment__in=list(found)).order_by("id")
    owner: dict[UUID, History] = {}
    for enrollment_id, *row in rows.values_list(
        "enrollment_id",
        "id",
        "set_version_id",
        "node__key",
        "revision",
        "status",
        "occurred_at",
        "recorded_at",
    ):
        evaluation = EvaluationRow(*row)
        owner[evaluation.id] = found[enrollment_id]
        found[enrollment_id].evaluations.append(evaluation)
    if not owner:
        return
    met = RequirementEvaluation.objects.filter(enrollment__in=list(found), status__in=MET)
    links = RequirementEvidenceLink.objects.filter(evaluation_id__in=met.values("id"))
    for link in links.order_by("evaluation_id", "position").values(
        "evaluation_id", "kind", "result__attempt_id", *_POINTERS.values()
    ):
        evaluation_id = link["evaluation_id"]
        owner[evaluation_id].links.append(_link_row(link))


_POINTERS = {kind.value: pointer_field(kind) for kind in EvidenceKind}


def _link_row(link: Mapping[str, Any]) -> LinkRow:
    return LinkRow(
        evaluation=link["evaluation_id"],
        kind=link["kind"],
        target=link[_POINTERS[link["kind"]]],
        attempt=link["result__attempt_id"],
    )
