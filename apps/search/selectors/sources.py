"""What the index should say: for some definitions, in as many statements as for one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from apps.assessment.models import AssessmentItem, AssessmentTemplate, AssessmentVersion
from apps.core.models import Definition, VersionStatus
from apps.programs.models import (
    Course,
    CourseVersion,
    ItemType,
    ModuleItem,
    Program,
    ProgramVersion,
)
from apps.search.languages import default_language
from apps.search.models import REFERENCES, DocumentKind, SearchDocument, SearchSettings
from apps.search.plaintext import in_one_line, words_of

Identity = tuple[str, UUID]
"""Kind, and the id of what a document is about."""

COMPARED: Final = ("language", "digest", "is_current")


@dataclass(frozen=True)
class Document:
    """One row of the index, as its sources say."""

    kind: DocumentKind
    language: str
    title: str
    headings: str
    body: str
    is_current: bool
    references: tuple[UUID, ...]

    @property
    def identity(self) -> Identity:
        return (self.kind, self.references[-1])

    @property
    def digest(self) -> str:
        said = "\x1f".join((self.title, self.headings, self.body))
        return hashlib.sha256(said.encode()).hexdigest()

    @property
    def compared(self) -> tuple[str, str, bool]:
        return (self.language, self.digest, self.is_current)

    def values(self) -> dict[str, Any]:
        """Return the columns of its row."""
        names = (f"{name}_id" for name in REFERENCES[self.kind])
        return {
            "kind": self.kind,
            "language": self.language,
            "title": self.title,
            "headings": self.headings,
            "body": self.body,
            "digest": self.digest,
            "is_current": self.is_current,
            **dict(zip(names, self.references, strict=True)),
        }


@dataclass(frozen=True)
class Source:
    """Where some kinds of document come from, and the topic of what the index owes them."""

    topic: str
    definitions: type[Definition]
    kinds: tuple[DocumentKind, ...]
    reference: str
    documents: Callable[[Collection[UUID], str], Iterator[Document]]

    def stored(self, ids: Collection[UUID]) -> QuerySet[SearchDocument]:
        """Return the rows that the index has of these definitions."""
        named = {f"{self.reference}_id__in": list(ids)}
        return SearchDocument.objects.filter(kind__in=self.kinds, **named)


def language_here() -> str:
    """Return the language of the organisation in force."""
    chosen = SearchSettings.objects.values_list("language", flat=True).first()
    return chosen or default_language()


def _current(versions: Iterable[Any]) -> set[UUID]:
    """Return the newest published version of each definition that is not archived."""
    newest: dict[UUID, Any] = {}
    for version in versions:
        if version.status == VersionStatus.PUBLISHED and version.definition.archived_at is None:
            best = newest.get(version.definition_id)
            if best is None or version.number > best.number:
                newest[version.definition_id] = version
    return {version.id for version in newest.values()}


def program_documents(ids: Collection[UUID], language: str) -> Iterator[Document]:
    """Yield a document for each version of these programs that left its draft."""
    versions = list(
        ProgramVersion.objects.filter(definition_id__in=ids, number__isnull=False).select_related(
            "definition"
        )
    )
    current = _current(versions)
    for version in versions:
        yield Document(
            kind=DocumentKind.PROGRAM,
            language=language,
            title=in_one_line([version.definition.title]),
            headings="",
            body=_both(version.description, version.definition.description),
            is_current=version.id in current,
            references=(version.definition_id, version.id),
        )


def course_documents(ids: Collection[UUID], language: str) -> Iterator[Document]:
    """Yield a document for each version of these courses that left its draft, and its lessons."""
    versions = {
        version.id: version
        for version in CourseVersion.objects.filter(
            definition_id__in=ids, number__isnull=False
        ).select_related("definition")
    }
    current = _current(versions.values())
    for version in versions.values():
        yield Document(
            kind=DocumentKind.COURSE,
            language=language,
            title=in_one_line([version.definition.title]),
            headings="",
            body=_both(version.summary, version.definition.description),
            is_current=version.id in current,
            references=(version.definition_id, version.id),
        )
    lessons = ModuleItem.objects.filter(
        version_id__in=list(versions), type=ItemType.LESSON
    ).select_related("module")
    for lesson in lessons.iterator(chunk_size=500):
        words = words_of(lesson.body_markdown)
        yield Document(
            kind=DocumentKind.LESSON,
            language=language,
            title=in_one_line([lesson.title]),
            headings=in_one_line([lesson.module.title, " ", words.headings]),
            body=words.body,
            is_current=lesson.version_id in current,
            references=(versions[lesson.version_id].definition_id, lesson.version_id, lesson.id),
        )


def question_documents(ids: Collection[UUID], language: str) -> Iterator[Document]:
    """Yield a document for each item of the newest published version of these assessments."""
    versions = {
        version.id: version
        for version in AssessmentVersion.objects.filter(
            definition_id__in=ids, status=VersionStatus.PUBLISHED
        ).select_related("definition")
    }
    for item in AssessmentItem.objects.filter(version_id__in=_current(versions.values())):
        prompt = words_of(item.prompt_markdown)
        yield Document(
            kind=DocumentKind.QUESTION,
            language=language,
            title=in_one_line([item.title]) or prompt.body[:200],
            headings=prompt.headings,
            body=prompt.body,
            is_current=True,
            references=(versions[item.version_id].definition_id, item.version_id, item.id),
        )


def _both(first: str, second: str) -> str:
    return words_of("\n\n".join(filter(None, (first, second)))).body


SOURCES: Final = (
    Source(
        "search.index_course",
        Course,
        (DocumentKind.COURSE, DocumentKind.LESSON),
        "course",
        course_documents,
    ),
    Source("search.index_program", Program, (DocumentKind.PROGRAM,), "program", program_documents),
    Source(
        "search.index_assessment",
        AssessmentTemplate,
        (DocumentKind.QUESTION,),
        "assessment",
        question_documents,
    ),
)


@dataclass(frozen=True)
class Differences:
    """What has to be written so that the index says what its sources say."""

    new: tuple[Document, ...]
    changed: tuple[tuple[UUID, Document], ...]
    gone: dict[UUID, UUID]
    """Row -> the definition that it was about."""

    def __len__(self) -> int:
        return len(self.new) + len(self.changed) + len(self.gone)

    @property
    def definitions(self) -> set[UUID]:
        """The definitions that something differs about."""
        documents = [*self.new, *(document for _row, document in self.changed)]
        return {document.references[0] for document in documents} | set(self.gone.values())


def differences(source: Source, ids: Collection[UUID]) -> Differences:
    """Return what the index lacks or says wrongly of these definitions."""
    names = [names[-1] for kind, names in REFERENCES.items() if kind in source.kinds]
    stored: dict[Identity, tuple[UUID, tuple[Any, ...], UUID]] = {}
    about = f"{source.reference}_id"
    columns = ("id", "kind", about, *(f"{name}_id" for name in names), *COMPARED)
    for row in source.stored(ids).values(*columns):
        subject = row[f"{REFERENCES[row['kind']][-1]}_id"]
        says = tuple(row[name] for name in COMPARED)
        stored[row["kind"], subject] = (row["id"], says, row[about])
    new, changed = [], []
    for document in source.documents(ids, language_here()):
        known = stored.pop(document.identity, None)
        if known is None:
            new.append(document)
        elif known[1] != document.compared:
            changed.append((known[0], document))
    gone = {row_id: definition for row_id, _says, definition in stored.values()}
    return Differences(tuple(new), tuple(changed), gone)
