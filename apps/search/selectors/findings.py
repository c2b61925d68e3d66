"""What somebody finds: matches in their order, without what they may not see.

Words by full text, in the organisation's language; misspelt titles by trigrams. The best MOST_HITS
are counted and shown: who needs more than these asks more precisely.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.safestring import SafeString
from psycopg import sql

from apps.cohorts.models import CohortEnrollment, CohortStatus
from apps.cohorts.ports import may_open_items
from apps.contacts.capabilities import Capability
from apps.contacts.principal import Principal
from apps.contacts.selectors import of_person
from apps.core.ports import Gate
from apps.core.tenancy import connection
from apps.programs import ports
from apps.programs.models import ProgramCourse
from apps.search.models import DocumentKind
from apps.search.rules import HIDDEN, MARK_END, MARK_START, MARKUP, Query, marked
from apps.search.selectors.sources import language_here

NOTHING: Final = UUID(int=0)
MOST_HITS: Final = 200
MOST_CANDIDATES: Final = 1_000
"""Of a learner's matches so many are asked whether they are locked."""
LIKE_ENOUGH: Final = "0.4"
"""The word similarity from which a title counts as misspelt, not as another word."""

# A match of the words comes before every guess, and a title before a text.
MATCHES: Final = sql.SQL("""
WITH asked AS (SELECT websearch_to_tsquery(%(language)s::regconfig, %(text)s) AS query)
SELECT d.id, d.kind, d.course_id, d.course_version_id, d.program_id, d.program_version_id,
    d.module_item_id,
    d.vector @@ asked.query AS is_exact,
    (d.vector @@ asked.query)::int
        + ts_rank('{{0.05, 0.2, 0.4, 1.0}}', d.vector, asked.query)
        + 0.5 * public.word_similarity(%(text)s, d.title) AS score
FROM search_documents d, asked
WHERE (
    d.vector @@ websearch_to_tsquery(%(language)s::regconfig, %(text)s)
    OR (%(guess)s AND %(text)s OPERATOR(public.<%%) d.title)
) AND d.kind = ANY(%(kinds)s) AND {visible}
ORDER BY score DESC, d.id
LIMIT %(most)s
""")

# Only for the rows of one page: the text of each is read and parsed.
SHOWN: Final = """
SELECT d.id, d.title,
    ts_headline(
        %(language)s::regconfig, translate(d.title, %(plain)s, %(hidden)s), asked.query, %(whole)s
    ),
    ts_headline(
        %(language)s::regconfig, translate(d.body, %(plain)s, %(hidden)s), asked.query, %(parts)s
    ),
    coalesce(c.title, a.title, '') AS within, coalesce(c.slug, '') AS course_slug,
    d.program_id, d.program_version_id, d.course_id, d.course_version_id, d.module_item_id,
    d.assessment_id, d.assessment_version_id, d.assessment_item_id
FROM search_documents d
LEFT JOIN courses c ON c.id = d.course_id
LEFT JOIN assessment_templates a ON a.id = d.assessment_id,
(SELECT websearch_to_tsquery(%(language)s::regconfig, %(text)s) AS query) asked
WHERE d.id = ANY(%(ids)s)
"""
_MARKS: Final = f"StartSel={MARK_START}, StopSel={MARK_END}"
WHOLE: Final = f"HighlightAll=true, {_MARKS}"
PARTS: Final = (
    f'MaxFragments=2, MaxWords=24, MinWords=10, ShortWord=0, FragmentDelimiter=" … ", {_MARKS}'
)

STAFF: Final = sql.SQL("d.is_current")
LEARNER: Final = sql.SQL("""(
    (d.kind = 'lesson' AND d.course_version_id = ANY(%(taken)s))
    OR (d.kind = 'course' AND d.course_version_id = ANY(%(courses)s))
    OR (d.kind = 'program' AND d.program_version_id = ANY(%(programs)s))
)""")


@dataclass(frozen=True)
class Match:
    """A row of the index that fits; `enrollment_id` is where its reader may open it."""

    id: UUID
    kind: str
    course_id: UUID | None
    course_version_id: UUID | None
    program_id: UUID | None
    program_version_id: UUID | None
    module_item_id: UUID | None
    is_exact: bool
    score: float
    enrollment_id: UUID | None = None


@dataclass(frozen=True)
class Hit:
    """A match as it is shown; `title_html` and `excerpt_html` are safe, with what fits in mark."""

    kind: str
    title: str
    title_html: SafeString
    excerpt_html: SafeString
    within: str
    course_slug: str
    is_exact: bool
    enrollment_id: UUID | None
    program_id: UUID | None
    program_version_id: UUID | None
    course_id: UUID | None
    course_version_id: UUID | None
    module_item_id: UUID | None
    assessment_id: UUID | None
    assessment_version_id: UUID | None
    assessment_item_id: UUID | None

    @property
    def id(self) -> UUID | None:
        """What was found: the item, course, program or question itself."""
        return {
            DocumentKind.PROGRAM: self.program_id,
            DocumentKind.COURSE: self.course_id,
            DocumentKind.LESSON: self.module_item_id,
            DocumentKind.QUESTION: self.assessment_item_id,
        }[DocumentKind(self.kind)]


@dataclass(frozen=True)
class Finding:
    """Everything that was found, the best first; nothing of it is read yet but its place."""

    query: Query
    language: str
    matches: tuple[Match, ...] = ()

    @property
    def is_guess(self) -> bool:
        """Whether nothing has the words, and what is here is only spelt alike."""
        return bool(self.matches) and not any(match.is_exact for match in self.matches)

    def __len__(self) -> int:
        return len(self.matches)

    def __getitem__(self, place: slice) -> list[Hit]:
        return shown(self, self.matches[place])


@dataclass(frozen=True)
class Taken:
    """What a learner takes or took: course and program versions -> enrolments, newest first."""

    courses: dict[UUID, list[UUID]]
    programs: dict[UUID, list[UUID]]


def search(principal: Principal, query: Query, kinds: Collection[str] = ()) -> Finding:
    """Return what this caller finds: staff who view content everything, others as learners."""
    if principal.has(Capability.VIEW_CONTENT):
        return search_as_staff(query, kinds)
    return search_as_learner(principal.contact_id, query, kinds)


def search_as_staff(query: Query, kinds: Collection[str] = ()) -> Finding:
    """Return what fits among everything that is published now."""
    language = language_here()
    wanted = list(kinds) or DocumentKind.values
    return Finding(query, language, tuple(_matches(query, language, wanted, STAFF, MOST_HITS)))


def search_as_learner(contact_id: UUID, query: Query, kinds: Collection[str] = ()) -> Finding:
    """Return what fits among what this person takes, or may begin; nothing that is locked."""
    readable = ports.readable_program_versions(contact_id)
    taken = _taken(contact_id)
    pins = _pins(readable | taken.programs.keys())
    for course_version, programs in pins.items():
        ids = [one for program in programs for one in taken.programs.get(program, [])]
        if ids:
            taken.courses[course_version] = ids
    language = language_here()
    found = _matches(
        query,
        language,
        [kind for kind in kinds or DocumentKind.values if kind != DocumentKind.QUESTION],
        LEARNER,
        MOST_CANDIDATES,
        taken=list(taken.courses),
        courses=list(pins),
        programs=list(readable),
    )
    return Finding(query, language, tuple(_open_to(taken, found))[:MOST_HITS])


def _taken(contact_id: UUID) -> Taken:
    enrollments = (
        CohortEnrollment.objects.took_part()
        .filter(of_person(contact_id), cohort__status__in=(CohortStatus.OPEN, CohortStatus.ENDED))
        .order_by("-enrolled_at", "-id")
        .values_list("id", "cohort__program_version_id")
    )
    taken = Taken(courses={}, programs={})
    for enrollment_id, program_version_id in enrollments:
        taken.programs.setdefault(program_version_id, []).append(enrollment_id)
    return taken


def _pins(program_version_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Return course version -> the program versions among these that pin it."""
    pins: dict[UUID, list[UUID]] = {}
    for course_version_id, program_version_id in ProgramCourse.objects.filter(
        version_id__in=program_version_ids
    ).values_list("course_version_id", "version_id"):
        pins.setdefault(course_version_id, []).append(program_version_id)
    return pins


def _matches(
    query: Query,
    language: str,
    kinds: Sequence[str],
    visible: sql.SQL,
    most: int,
    **named: list[UUID],
) -> list[Match]:
    asked = {
        "language": language,
        "text": query.words,
        "guess": query.may_be_misspelt,
        "kinds": list(kinds),
        "most": most,
        **named,
    }
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [LIKE_ENOUGH]
        )
        cursor.execute(MATCHES.format(visible=visible), asked)
        return [Match(*row) for row in cursor.fetchall()]


def _open_to(taken: Taken, matches: Iterable[Match]) -> list[Match]:
    """Return the matches that the learner may open, each thing once, with its enrolment."""
    found = list(matches)
    items: dict[UUID, set[UUID]] = {}
    for match in found:
        if match.kind == DocumentKind.LESSON and match.course_version_id and match.module_item_id:
            for enrollment_id in taken.courses[match.course_version_id]:
                items.setdefault(enrollment_id, set()).add(match.module_item_id)
    gates = may_open_items(items) if items else {}
    kept: dict[tuple[str, UUID | None], Match] = {}
    for match in found:
        placed = _placed(match, taken, gates)
        if placed is None:
            continue
        about = (match.kind, match.module_item_id or match.course_id or match.program_id)
        known = kept.get(about)
        if known is None or (known.enrollment_id is None and placed.enrollment_id is not None):
            kept[about] = placed
    return sorted(kept.values(), key=lambda match: (-match.score, match.id))


def _placed(match: Match, taken: Taken, gates: Mapping[UUID, Mapping[UUID, Gate]]) -> Match | None:
    """Return the match with the enrolment under which it is open; None: it is locked."""
    if match.kind == DocumentKind.PROGRAM:
        own = taken.programs.get(match.program_version_id or NOTHING, [])
        return replace(match, enrollment_id=next(iter(own), None))
    own = taken.courses.get(match.course_version_id or NOTHING, [])
    if match.kind == DocumentKind.COURSE:
        return replace(match, enrollment_id=next(iter(own), None))
    item_id = match.module_item_id or NOTHING
    open_in = next((one for one in own if gates[one][item_id].allowed), None)
    return None if open_in is None else replace(match, enrollment_id=open_in)


def shown(finding: Finding, matches: Sequence[Match]) -> list[Hit]:
    """Return these matches as they are shown, in one statement."""
    if not matches:
        return []
    asked = {
        "language": finding.language,
        "text": finding.query.words,
        "plain": MARKUP,
        "hidden": HIDDEN,
        "whole": WHOLE,
        "parts": PARTS,
        "ids": [match.id for match in matches],
    }
    with connection.cursor() as cursor:
        cursor.execute(SHOWN, asked)
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
    # A row may have gone since it was found.
    return [_hit(match, rows[match.id]) for match in matches if match.id in rows]


def _hit(match: Match, row: Sequence[Any]) -> Hit:
    title, title_marked, excerpt, within, course_slug, *references = row
    return Hit(
        match.kind,
        title,
        marked(title_marked),
        marked(excerpt),
        "" if match.kind == DocumentKind.COURSE else within,
        course_slug,
        match.is_exact,
        match.enrollment_id,
        *references,
    )
