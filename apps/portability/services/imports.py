"""Taking a package in: all of it in one transaction, or nothing; tried first, if one wants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.models import Version, VersionStatus
from apps.core.problems import Problem
from apps.core.refusals import refused_by_database
from apps.core.tenancy import connection
from apps.core.versions import (
    DraftExists,
    VersionDiff,
    definition_changed,
    diff,
    previous,
    publish,
    rows,
)
from apps.portability.content import (
    Bank,
    Part,
    kind_of,
    path_of,
)
from apps.portability.content.order import definitions_first, dependencies, versions_of
from apps.portability.faults import Fault, PackageRefused, refused
from apps.portability.format import Package
from apps.portability.models import PackageImport
from apps.portability.report import NEEDS_REFUSED, ImportReport, PartOutcome
from apps.portability.services.definitions import Definition, Definitions, changed_words
from apps.portability.services.matching import Matches, Ref, says
from apps.portability.services.writing import Writer, fill_bank
from apps.portability.vocabulary import OnConflict, Outcome, PartKind

SHOWN_KEYS: Final = 10
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('package ' || current_schema(), 0))"


@dataclass(frozen=True)
class CatalogSource:
    """The version of the platform's catalog that a package is."""

    course_id: UUID
    version_id: UUID
    number: int


@dataclass(frozen=True)
class Options:
    """How a package is taken in.

    With `leaves_drafts` nothing is published but the assessments that courses place: only
    published ones can be placed. What comes from the catalog never stumbles over a short name
    that is taken, and is known by the catalog's ids afterwards.
    """

    leaves_drafts: bool = False
    on_conflict: str = OnConflict.REFUSE
    filename: str = ""
    catalog: CatalogSource | None = None


class _Undone(Exception):
    """Takes back everything since the transaction began."""


def import_package(
    *,
    package: Package,
    actor: Contact | None,
    at: datetime,
    options: Options | None = None,
    dry_run: bool = False,
) -> ImportReport:
    """Return what became of each part, or after a dry run what would: then nothing has changed.

    What is here already with the same content stays as it is; a definition that came from the
    same place gets a new version. Raises PackageRefused, with the report in `report`, when any
    part is refused and it is no dry run.
    """
    done: list[ImportReport] = []
    try:
        with transaction.atomic():
            report = _Import(package, actor, at, options or Options()).run(is_dry_run=dry_run)
            done.append(report)
            if dry_run or report.is_refused:
                raise _Undone
    except _Undone:
        [report] = done
    if report.is_refused and not dry_run:
        raise refused(report.faults)
    return report


def one_at_a_time() -> None:
    """Wait until no other transaction of this organisation takes a package in."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME)


class _Import:
    """One run."""

    def __init__(
        self, package: Package, actor: Contact | None, at: datetime, options: Options
    ) -> None:
        self._package, self._content = package, package.content
        self._actor, self._at, self._options = actor, at, options
        catalog = options.catalog
        self._definitions = Definitions(
            actor=actor,
            catalog_course_id=catalog.course_id if catalog else None,
            on_conflict=OnConflict.RENAME if catalog else options.on_conflict,
        )
        self._matches = Matches(self._definitions)
        self._versions: dict[Ref, Any] = {}
        self._outcomes: dict[str, PartOutcome] = {}
        self._writer = Writer(
            definitions=self._definitions,
            versions=self._versions,
            actor=actor,
            at=at,
            catalog_version_id=catalog.version_id if catalog else None,
        )

    def run(self, *, is_dry_run: bool) -> ImportReport:
        one_at_a_time()
        for part in definitions_first(self._content):
            self._try(part, self._settle)
        self._matches.look_up(self._content)
        self._versions.update(self._matches.taken)
        for part in self._content.parts():
            if path_of(part) not in self._outcomes:
                self._try(part, self._put)
        report = ImportReport(
            kind=self._content.kind,
            slug=self._content.root,
            title=self._content.root_part.title,
            digest=self._package.digest,
            is_dry_run=is_dry_run,
            root_file=path_of(self._content.root_part),
            parts=tuple(self._outcomes[path_of(part)] for part in self._content.parts()),
        )
        if is_dry_run or report.is_refused:
            return report
        return replace(report, import_id=self._on_record(report).id)

    def _try(self, part: Part, work: Callable[[Part], PartOutcome | None]) -> None:
        """Work at one part; what it is refused for is its outcome, and the others go on."""
        blocking = [dependency for dependency in dependencies(part) if self._is_refused(dependency)]
        if blocking:
            message = _("It needs %(file)s, which is refused.") % {"file": blocking[0]}
            self._refuse(part, [Fault(path_of(part), "", NEEDS_REFUSED, message)])
            return
        try:
            with transaction.atomic():
                outcome = work(part)
        except Problem as problem:
            self._refuse(part, _faults_of(problem, path_of(part)))
        except DatabaseError as error:
            known = refused_by_database(error)
            if known is None:
                raise
            self._refuse(part, _faults_of(known, path_of(part)))
        else:
            if outcome is not None:
                self._outcomes[path_of(part)] = outcome

    def _is_refused(self, file: str) -> bool:
        outcome = self._outcomes.get(file)
        return outcome is not None and outcome.outcome == Outcome.REFUSED

    def _refuse(self, part: Part, faults: list[Fault]) -> None:
        self._outcomes[path_of(part)] = PartOutcome(
            kind=kind_of(part),
            file=path_of(part),
            slug=part.slug,
            title=part.title,
            outcome=Outcome.REFUSED,
            faults=tuple(faults),
        )

    def _settle(self, part: Part) -> None:
        self._definitions.settle(part)

    def _put(self, part: Part) -> PartOutcome:
        if isinstance(part, Bank):
            return self._put_bank(part)
        kind = kind_of(part)
        definition = self._definitions[kind, part.slug]
        made: list[Any] = []
        used: list[Any] = []
        for edition, content in versions_of(part):
            ref = (kind, part.slug, edition)
            version = self._versions.get(ref)
            if version is None:
                version, is_made = self._write(part, ref, content, definition)
                self._versions[ref] = version
                made += [version] * is_made
            used.append(version)
        changed = self._say_words(part, definition, used)
        return self._outcome(part, definition, used, made, changed)

    def _put_bank(self, part: Bank) -> PartOutcome:
        definition = self._definitions[PartKind.BANK, part.slug]
        new, differing = fill_bank(definition.row, part.questions)
        notes = []
        if new:
            notes.append(ngettext("%d new question", "%d new questions", new) % new)
        if differing:
            shown = ", ".join(differing[:SHOWN_KEYS])
            more = "" if len(differing) <= SHOWN_KEYS else " …"
            message = _("Different here, and kept as they are: %(keys)s")
            notes.append(message % {"keys": f"{shown}{more}"})
        outcome = Outcome.UPDATED if new else Outcome.UNCHANGED
        if definition.is_new:
            outcome = Outcome.CREATED
        return self._told(part, definition, outcome, notes=notes)

    def _write(
        self, part: Part, ref: Ref, content: Any, definition: Definition
    ) -> tuple[Any, bool]:
        """Return the version that says this and whether it is new: a draft may be there already.

        Raises PackageRefused for a definition that is the catalog's, or that has another draft.
        """
        kind, slug, _edition = ref
        if definition.is_adopted and self._options.catalog is None:
            message = _("“%(title)s” is adopted from the catalog: it is updated there.")
            told = message % {"title": definition.row.title}
            raise refused([Fault(path_of(part), "", "adopted", told)])
        draft = self._same_draft(ref, content, definition)
        is_new = draft is None
        if draft is None:
            draft = self._writer.draft(kind, slug, content, file=path_of(part))
        if self._is_left_as_draft(ref):
            return draft, is_new
        published = publish(version=draft, actor=self._actor, at=self._at)
        record_admin_action(
            actor=self._actor,
            action=f"{published._meta.model_name}.published",
            entity=published,
        )
        return published, True

    def _same_draft(self, ref: Ref, content: Any, definition: Definition) -> Any:
        """Return the draft that is there and says this, or None. Raises PackageRefused."""
        kind = ref[0]
        drafts = rows(
            type(definition.row)._meta.get_field("versions").related_model,
            definition_id=definition.row.pk,
            status=VersionStatus.DRAFT,
        )
        draft = drafts.select_related("definition").first()
        if draft is None:
            return None
        if says(kind, draft, content, self._matches.names(self._versions)):
            return draft
        message = _("“%(title)s” has a draft here that says something else: publish it first.")
        raise DraftExists(detail=message % {"title": definition.row.title})

    def _is_left_as_draft(self, ref: Ref) -> bool:
        if not self._options.leaves_drafts:
            return False
        kind, slug, _edition = ref
        placed = {
            item.assessment.slug
            for course in self._content.courses
            for module in course.content.modules
            for item in module.items
            if item.assessment is not None
        }
        return kind != PartKind.ASSESSMENT or slug not in placed

    def _say_words(self, part: Part, definition: Definition, used: list[Any]) -> list[str]:
        """Bring title and the like up to date, unless the package is older than what is here."""
        newest = definition.row.versions.order_by("-created_at", "-number").first()
        if definition.is_new or newest not in used:
            return []
        if definition.is_adopted and self._options.catalog is None:
            return []
        words = changed_words(part, definition.row)
        for name, value in words.items():
            setattr(definition.row, name, value)
        if words:
            definition.row.save(update_fields=list(words))
            definition_changed(type(definition.row), definition.row.pk)
            record_admin_action(
                actor=self._actor,
                action=f"{definition.row._meta.model_name}.changed",
                entity=definition.row,
                details={"fields": sorted(words)},
            )
        return sorted(words)

    def _outcome(
        self,
        part: Part,
        definition: Definition,
        used: list[Any],
        made: list[Any],
        changed: list[str],
    ) -> PartOutcome:
        notes = []
        if changed:
            notes.append(_("changed: %(fields)s") % {"fields": ", ".join(changed)})
        if any(version.is_draft for version in used):
            notes.append(_("left as a draft"))
        outcome = Outcome.UPDATED if changed else Outcome.UNCHANGED
        if made:
            outcome = Outcome.CREATED if definition.is_new else Outcome.NEW_VERSION
        differences: tuple[VersionDiff, ...] = ()
        if outcome == Outcome.NEW_VERSION:
            differences = tuple(diff(previous(version), version) for version in made)
        return self._told(
            part, definition, outcome, used=used, notes=notes, differences=differences
        )

    def _told(
        self,
        part: Part,
        definition: Definition,
        outcome: Outcome,
        *,
        used: list[Version] | None = None,
        notes: list[str],
        differences: tuple[VersionDiff, ...] = (),
    ) -> PartOutcome:
        used = used or []
        if definition.is_new and definition.row.slug != part.slug:
            message = _("its short name here is “%(slug)s”, the other is taken")
            notes = [message % {"slug": definition.row.slug}, *notes]
        return PartOutcome(
            kind=kind_of(part),
            file=path_of(part),
            slug=definition.row.slug,
            title=part.title,
            outcome=outcome,
            definition_id=definition.row.pk,
            version_ids=tuple(version.pk for version in used),
            versions=tuple(version.label for version in used),
            notes=tuple(notes),
            differences=differences,
        )

    def _on_record(self, report: ImportReport) -> PackageImport:
        catalog = self._options.catalog
        row = PackageImport.objects.create(
            kind=report.kind,
            slug=report.slug,
            title=report.title,
            digest=report.digest,
            filename=self._options.filename[:200],
            left_drafts=self._options.leaves_drafts,
            counts=report.counts,
            parts=[part.as_data() for part in report.parts],
            catalog_course_id=catalog.course_id if catalog else None,
            catalog_version_id=catalog.version_id if catalog else None,
            catalog_number=catalog.number if catalog else None,
            actor=self._actor,
        )
        record_admin_action(
            actor=self._actor,
            action="package.imported",
            entity=row,
            details={"digest": report.digest, "outcomes": report.counts},
        )
        return row


def _faults_of(problem: Problem, file: str) -> list[Fault]:
    """Return why a part is refused, in its own file."""
    if isinstance(problem, PackageRefused):
        return [
            Fault(*error["field"].partition("#")[::2], error["code"], error["message"])
            for error in problem.errors
        ]
    if not problem.errors:
        return [Fault(file, "", problem.code, problem.detail or problem.title)]
    return [Fault(file, "", error["code"], error["message"]) for error in problem.errors]
