"""Cases: an enrolment under a set version, with the facts to decide it by."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from apps.requirements.facts import AssessmentContext, Facts, SessionFact
from apps.requirements.graph import NodeSpec
from apps.requirements.history import (
    assessment_contexts,
    attendance_known,
    completions_known,
    credentials_known,
    results_known,
    signoff_facts,
    started_known,
    waiver_facts,
    words_known,
)
from apps.requirements.needs import needs_of
from apps.requirements.rows import FOREVER, History, Place
from apps.requirements.selectors.contexts import attempts_allowed
from apps.requirements.selectors.histories import Batch, load
from apps.requirements.selectors.subjects import Subject, subjects
from apps.requirements.selectors.versions import (
    Assigned,
    SetVersion,
    assigned_versions,
    default_versions,
    set_versions,
)
from apps.requirements.standing import Held, held_decisions

NOT_ASSIGNED = UUID(int=0)
"""Stands for the assignment in a look ahead, before there is one. Never stored."""


@dataclass(frozen=True)
class Case:
    """One enrolment under one version. `held` are the decisions recorded about it."""

    subject: Subject
    version: SetVersion
    facts: Facts
    held: Mapping[str, Held]


@dataclass(frozen=True)
class Context:
    """The half of the facts that is not history: how the plan stands for an enrolment."""

    enrolled_at: datetime
    timezone: str
    contacts: tuple[UUID, ...]
    enrollments: tuple[UUID, ...]
    sessions: tuple[SessionFact, ...]
    assessments: Mapping[UUID, AssessmentContext]


def cases(
    enrollment_ids: Collection[UUID],
    *,
    as_of: datetime,
    wanted: Callable[[SetVersion], Iterable[NodeSpec]] | None = None,
) -> list[Case]:
    """Return a case for every version that holds for these enrolments at `as_of`.

    An enrolment without assignments is judged by what it will be assigned. `wanted` names the
    nodes that the caller will look at; facts that only others need are not loaded. The number of
    statements depends on the kinds of node, not on the number of enrolments.
    """
    people = subjects(enrollment_ids)
    assigned = assigned_versions(list(people), as_of=as_of)
    missing = [subject for subject in people.values() if subject.enrollment_id not in assigned]
    if missing:
        defaults = default_versions(subject.program_id for subject in missing)
        for subject in missing:
            versions = defaults.get(subject.program_id, [])
            assigned[subject.enrollment_id] = [Assigned(version_id) for version_id in versions]
    return cases_under(people.values(), assigned, as_of=as_of, wanted=wanted)


def cases_under(
    people: Collection[Subject],
    assigned: Mapping[UUID, Collection[Assigned]],
    *,
    as_of: datetime,
    known_at: datetime = FOREVER,
    wanted: Callable[[SetVersion], Iterable[NodeSpec]] | None = None,
) -> list[Case]:
    """Return a case for every subject and version that `assigned` pairs."""
    versions = set_versions({a.version_id for some in assigned.values() for a in some})
    nodes = [
        node
        for version in versions.values()
        for node in (version.spec.nodes if wanted is None else wanted(version))
    ]
    if not nodes:
        return []
    batch = load(people, needs_of(nodes))
    contexts = _contexts(people, batch, as_of)
    return [
        case_known(
            subject,
            versions[one.version_id],
            contexts[subject.enrollment_id],
            batch.histories[subject.enrollment_id],
            batch.places,
            assignment_id=one.assignment_id or NOT_ASSIGNED,
            as_of=as_of,
            known_at=known_at,
        )
        for subject in people
        for one in assigned.get(subject.enrollment_id, ())
    ]


def _contexts(people: Collection[Subject], batch: Batch, as_of: datetime) -> dict[UUID, Context]:
    return {
        subject.enrollment_id: Context(
            enrolled_at=subject.enrolled_at,
            timezone=subject.timezone,
            contacts=subject.contacts,
            enrollments=subject.enrollments,
            sessions=batch.sessions.get(subject.cohort_id, ()),
            assessments=assessment_contexts(
                history, attempts_allowed(subject, history, batch.limits), FOREVER, as_of
            ),
        )
        for subject in people
        for history in [batch.histories[subject.enrollment_id]]
    }


def case_known(
    subject: Subject,
    version: SetVersion,
    context: Context,
    history: History,
    where: Mapping[UUID, Place],
    *,
    assignment_id: UUID,
    as_of: datetime,
    known_at: datetime = FOREVER,
) -> Case:
    """Return the case as it was known at `known_at`, with only the facts that the version uses."""
    facts = _facts(version, context, history, where, assignment_id, as_of, known_at)
    held = held_decisions(version.id, version.spec, history, facts, known_at)
    with_held = replace(facts, held={key: decision.fact for key, decision in held.items()})
    return Case(subject, version, with_held, held)


def _facts(
    version: SetVersion,
    context: Context,
    history: History,
    where: Mapping[UUID, Place],
    assignment_id: UUID,
    as_of: datetime,
    known_at: datetime,
) -> Facts:
    used = version.needs
    results = results_known(history, known_at, as_of)
    credentials = credentials_known(history, known_at)
    completions = completions_known(history, where, known_at)
    signoffs = signoff_facts(words_known(history.signoffs, version.set_id, known_at))
    waivers = waiver_facts(words_known(history.waivers, version.set_id, known_at))
    return Facts(
        assignment=assignment_id,
        enrolled_at=context.enrolled_at,
        timezone=context.timezone,
        contacts=context.contacts,
        enrollments=context.enrollments,
        sessions=context.sessions if used.attendance else (),
        assessments={t: c for t, c in context.assessments.items() if t in used.assessments},
        started=started_known(history, where, known_at),
        attendance=attendance_known(history, known_at) if used.attendance else {},
        results={t: r for t, r in results.items() if t in used.assessments},
        completions={c: e for c, e in completions.items() if c in used.completions},
        credentials={p: c for p, c in credentials.items() if p in used.programs},
        signoffs={k: s for k, s in signoffs.items() if k in version.spec.by_key},
        waivers={k: w for k, w in waivers.items() if k in version.spec.by_key},
    )
