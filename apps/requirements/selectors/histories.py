"""Loading history: every row that could matter to a batch of learners, in a few statements."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import DateTimeField, F, OuterRef, QuerySet, UUIDField, Value
from django.db.models.functions import Cast, Coalesce, JSONObject

from apps.assessment.models import AssessmentAttempt
from apps.assessment.rules.policy import read_policy
from apps.cohorts.models import AttendanceRecord, CohortSession, ProgressEvent
from apps.core.models import VersionStatus
from apps.programs.models import ModuleItem
from apps.requirements.facts import SessionFact
from apps.requirements.history import COMPLETION_EVENTS, CREDENTIAL_EVENTS, named_items
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
    ResultRow,
    WordRow,
)
from apps.requirements.selectors.contexts import Limits, attempt_terms, limits
from apps.requirements.selectors.kept import Kept, Loaded
from apps.requirements.selectors.prepared import Among, Prepared
from apps.requirements.selectors.subjects import Subject
from apps.requirements.statuses import EvidenceKind


def places(item_ids: Collection[UUID]) -> dict[UUID, Place]:
    """Return module item -> where it stands, for those of published course versions.

    No statement for what is kept: a published item never moves.
    """
    return _PLACES.fetch(item_ids, _load_places)


_PLACES: Final[Kept[Place]] = Kept(most=10_000)


def _load_places(item_ids: Collection[UUID]) -> Loaded[Place]:
    rows = ModuleItem.objects.filter(id__in=item_ids).exclude(version__status=VersionStatus.DRAFT)
    values = rows.values_list("id", "version__definition_id", "key", "module__key")
    found = {item_id: Place(course, key, module) for item_id, course, key, module in values}
    return found, found.keys()


@dataclass
class Batch:
    """What was read of some learners: their rows, and how the plan stands for them.

    `limits` are windows and accommodations, which set how many attempts there are.
    """

    histories: dict[UUID, History]
    places: dict[UUID, Place] = field(default_factory=dict)
    sessions: dict[UUID, tuple[SessionFact, ...]] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        self.owners: dict[UUID, list[History]] = defaultdict(list)
        self.people: dict[UUID, list[History]] = defaultdict(list)


def load(subjects: Collection[Subject], needs: Needs) -> Batch:
    """Return the rows of every subject by enrolment, in the order in which they were recorded."""
    batch = Batch({subject.enrollment_id: History() for subject in subjects})
    cohorts = {}
    for subject in subjects:
        history = batch.histories[subject.enrollment_id]
        for enrollment_id in subject.enrollments:
            batch.owners[enrollment_id].append(history)
            cohorts[enrollment_id] = subject.cohort_id
        for contact_id in subject.contacts:
            batch.people[contact_id].append(history)
    if needs.attendance:
        _load_attendance(batch, set(cohorts.values()))
    if needs.courses:
        _load_events(batch)
    if needs.programs:
        _load_credential_events(batch)
    if needs.assessments:
        _load_results(batch, cohorts, needs.assessments)
    _load_words(batch, with_signoffs=needs.signoffs)
    _load_decisions(batch.histories)
    return batch


def _attendance() -> QuerySet[Any, Any]:
    records = AttendanceRecord.objects.filter(Among("enrollment_id", "enrollments")).values_list(
        "id", "session_id", "enrollment_id", "revision", "status", "recorded_at"
    )
    sessions = CohortSession.objects.filter(
        Among("cohort_id", "cohorts"), is_required=True, cancelled_at=None
    ).values_list("id", "cohort_id", Cast(Value(None), UUIDField()), Value(0), Value(""), "ends_at")
    return records.union(sessions, all=True)


_ATTENDANCE: Final = Prepared(_attendance)


def _load_attendance(batch: Batch, cohort_ids: Collection[UUID]) -> None:
    """Load the records, and with the same statement the required sessions that stand."""
    planned: dict[UUID, list[SessionFact]] = defaultdict(list)
    for row in _ATTENDANCE.rows(enrollments=batch.owners, cohorts=cohort_ids):
        found = AttendanceRow(*row)
        if found.revision:
            for history in batch.owners[found.enrollment]:
                history.attendance.append(found)
        else:
            planned[row[1]].append(SessionFact(found.id, found.recorded_at))
    batch.sessions = {
        cohort_id: tuple(sorted(facts, key=lambda fact: (fact.ends_at, fact.session)))
        for cohort_id, facts in planned.items()
    }


def _events(owner: str, slot: str, types: Collection[str]) -> Prepared:
    """Return the question for events of these types, each after the id of whom it is about."""

    def build() -> QuerySet[Any, Any]:
        events = ProgressEvent.objects.filter(Among(owner, slot), type__in=sorted(types))
        columns = ("enrollment_id", "type", "course_id", "entity_id", "payload")
        times = ("occurred_at", "recorded_at")
        return events.order_by("recorded_at", "id").values_list(F(owner), "id", *columns, *times)

    return Prepared(build)


_COMPLETIONS: Final = _events("enrollment_id", "enrollments", COMPLETION_EVENTS)
_CREDENTIALS: Final = _events("contact_id", "contacts", CREDENTIAL_EVENTS)


def _event_row(
    event_id: UUID,
    enrollment: UUID | None,
    type_: str,
    course: UUID | None,
    entity: UUID | None,
    payload: str,
    *times: datetime,
) -> EventRow:
    return EventRow(event_id, enrollment, type_, course, entity, json.loads(payload), *times)


def _load_events(batch: Batch) -> None:
    named: set[UUID] = set()
    for enrollment_id, *row in _COMPLETIONS.rows(enrollments=batch.owners):
        event = _event_row(*row)
        named.update(named_items(event))
        for history in batch.owners[enrollment_id]:
            history.events.append(event)
    batch.places = places(named)


def _load_credential_events(batch: Batch) -> None:
    for contact_id, *row in _CREDENTIALS.rows(contacts=batch.people):
        event = _event_row(*row)
        for history in batch.people[contact_id]:
            history.credential_events.append(event)


_ATTEMPT_COLUMNS = (
    "id",
    "enrollment_id",
    "template_id",
    "version_id",
    "attempt_no",
    "status",
    "submitted_at",
    "policy",
)
_RESULT_COLUMNS = (
    "results__id",
    "results__revision",
    "results__percent",
    "results__passed",
    "results__is_final",
    "results__is_void",
    "results__recorded_at",
)


_ATTEMPTS: Final = Prepared(
    lambda: (
        AssessmentAttempt.objects.filter(
            Among("enrollment_id", "enrollments"), Among("template_id", "templates")
        )
        .order_by("id", "results__id")
        .values_list(*_ATTEMPT_COLUMNS, *_RESULT_COLUMNS)
    )
)


def _load_results(batch: Batch, cohorts: Mapping[UUID, UUID], templates: Collection[UUID]) -> None:
    """Load attempts with their results, what was decided about releasing them, and the limits."""
    read = _ATTEMPTS.rows(enrollments=batch.owners, templates=templates)
    terms = attempt_terms({row[3] for row in read})
    attempts: dict[UUID, AttemptRow] = {}
    for row in read:
        attempt_id, enrollment_id, template_id, version_id, number, status, at, policy = row[:8]
        concerned = batch.owners[enrollment_id]
        if attempt_id not in attempts:
            attempts[attempt_id] = attempt = AttemptRow(
                id=attempt_id,
                enrollment=enrollment_id,
                cohort=cohorts[enrollment_id],
                template=template_id,
                version=version_id,
                attempt_no=number,
                status=status,
                submitted_at=at,
                result_policy=terms[version_id].result_policy,
                policy=read_policy(json.loads(policy)),
            )
            for history in concerned:
                history.attempts.append(attempt)
        result_id, *values = row[8:]
        if result_id is not None:
            result = ResultRow(result_id, attempt_id, *values)
            for history in concerned:
                history.results.append(result)
    if attempts:
        batch.limits = limits(attempts.values(), batch.people, terms)
        _share_releases(batch, attempts)


def _share_releases(batch: Batch, attempts: Mapping[UUID, AttemptRow]) -> None:
    """Give every history the releases of its attempts, and those of their cohort."""
    of_cohort: dict[UUID, dict[int, History]] = defaultdict(dict)
    for attempt in attempts.values():
        for history in batch.owners[attempt.enrollment]:
            of_cohort[attempt.cohort][id(history)] = history
    for release in batch.limits.releases:
        if release.cohort is not None:
            concerned = list(of_cohort[release.cohort].values())
        elif release.attempt is not None:
            concerned = batch.owners[attempts[release.attempt].enrollment]
        for history in concerned:
            history.releases.append(release)


def _load_words(batch: Batch, *, with_signoffs: bool) -> None:
    """Load waivers, and with the same statement sign-offs."""
    asked = _WORDS if with_signoffs else _WAIVERS
    for row in sorted(asked.rows(enrollments=batch.owners), key=lambda row: (row[-1], row[2])):
        kind, enrollment_id, word_id, set_id, key, revision, status, at, until, recorded_at = row
        word = WordRow(
            id=word_id,
            set=set_id,
            key=key,
            revision=revision,
            is_withdrawn=status in (SignOffStatus.WITHDRAWN, WaiverStatus.WITHDRAWN),
            occurred_at=at,
            expires_at=until,
            recorded_at=recorded_at,
        )
        for history in batch.owners[enrollment_id]:
            (history.waivers if kind == "waiver" else history.signoffs).append(word)


def _words(model: type[SignOff] | type[Waiver], kind: str, until: Any) -> QuerySet[Any, Any]:
    return model._default_manager.filter(Among("enrollment_id", "enrollments")).values_list(
        Value(kind),
        "enrollment_id",
        "id",
        "node__version__definition_id",
        "node__key",
        "revision",
        "status",
        "occurred_at",
        until,
        "recorded_at",
    )


def _waivers() -> QuerySet[Any, Any]:
    return _words(Waiver, "waiver", F("expires_at"))


_WAIVERS: Final = Prepared(_waivers)
_NEVER: Final = Cast(Value(None), DateTimeField())
_WORDS: Final = Prepared(lambda: _waivers().union(_words(SignOff, "signoff", _NEVER), all=True))


def _load_decisions(found: Mapping[UUID, History]) -> None:
    """Load the enrolments' own decisions, each with what it rests on.

    Those of aliases are decisions about the aliases.
    """
    for enrollment_id, links, *row in _DECISIONS.rows(enrollments=found):
        evaluation = EvaluationRow(*row)
        history = found[enrollment_id]
        history.evaluations.append(evaluation)
        history.links.extend(_link_row(evaluation.id, link) for link in links)


def _decisions() -> QuerySet[Any, Any]:
    links = (
        RequirementEvidenceLink.objects.filter(evaluation_id=OuterRef("id"))
        .order_by("position")
        .values(
            data=JSONObject(
                kind="kind",
                target=Coalesce(*(pointer_field(kind) for kind in EvidenceKind)),
                attempt="result__attempt_id",
            )
        )
    )
    return (
        RequirementEvaluation.objects.filter(Among("enrollment_id", "enrollments"))
        .order_by("id")
        .values_list(
            "enrollment_id",
            ArraySubquery(links),
            "id",
            "set_version_id",
            "node__key",
            "revision",
            "status",
            "occurred_at",
            "recorded_at",
        )
    )


_DECISIONS: Final = Prepared(_decisions)


def _link_row(evaluation_id: UUID, text: str) -> LinkRow:
    link = json.loads(text)
    attempt = link["attempt"]
    return LinkRow(
        evaluation=evaluation_id,
        kind=link["kind"],
        target=UUID(link["target"]),
        attempt=UUID(attempt) if attempt else None,
    )
