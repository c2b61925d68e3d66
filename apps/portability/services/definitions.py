"""Which definition here a part of a package is, and making it where there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db import models
from django.utils.translation import gettext as _

from apps.assessment.services.authoring import free_key
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.portability.content import Assessment, Course, Part, kind_of, path_of
from apps.portability.faults import Fault, refused
from apps.portability.models import ImportedDefinition
from apps.portability.row_checks import MODELS, row_of, values_of
from apps.portability.selectors.names import own_origin
from apps.portability.vocabulary import OnConflict, PartKind

# What a definition says once and for all: a package that says otherwise is about something else.
FIXED: Final = {
    PartKind.REQUIREMENT_SET: ("purpose", "program"),
    PartKind.CERTIFICATION: ("type", "program"),
}


@dataclass(frozen=True)
class Definition:
    """The row behind a part. `is_adopted`: it belongs to a course of the catalog."""

    row: Any
    is_new: bool
    is_adopted: bool = False


@dataclass
class Definitions:
    """The definitions of one import, by kind and short name in the package."""

    actor: Contact | None
    catalog_course_id: UUID | None
    on_conflict: str
    known: dict[tuple[PartKind, str], Definition] = field(default_factory=dict)

    def __getitem__(self, of: tuple[PartKind, str]) -> Definition:
        return self.known[of]

    def row(self, kind: PartKind, slug: str | None) -> Any:
        """Return the row of a part that was settled before, None for no name."""
        return None if slug is None else self.known[kind, slug].row

    def ids(self, kind: PartKind) -> dict[UUID, str]:
        """Return id -> name in the package of every definition of this kind."""
        return {one.row.pk: slug for (of, slug), one in self.known.items() if of == kind}

    def settle(self, part: Part) -> Definition:
        """Return the part's definition, found or made.

        Raises PackageRefused where its short name is taken by something from elsewhere, or where
        what is found is of another kind.
        """
        found = self._found(part) or self._made(part)
        self.known[kind_of(part), part.slug] = found
        return found

    def _found(self, part: Part) -> Definition | None:
        kind = kind_of(part)
        sources = ImportedDefinition.objects.filter(kind=kind, slug=part.slug)
        if self.catalog_course_id is not None:
            source = sources.filter(catalog_course_id=self.catalog_course_id).first()
            return self._checked(part, source) if source else None
        sources = sources.filter(origin=part.origin)
        source = sources.filter(catalog_course_id=None).first()
        if source is not None:
            return self._checked(part, source)
        for source in sources:
            if _definition_of(source).slug == part.slug:
                return self._checked(part, source)
        return self._own(part) if part.origin == own_origin() else None

    def _own(self, part: Part) -> Definition | None:
        """Return the organisation's own definition of this name, which no package brought."""
        kind = kind_of(part)
        row = _model(part)._default_manager.filter(slug=part.slug).first()
        if row is None or ImportedDefinition.objects.filter(**{kind.value: row}).exists():
            return None
        return self._checked_row(part, row)

    def _checked(self, part: Part, source: ImportedDefinition) -> Definition:
        is_adopted = source.catalog_course_id is not None
        return self._checked_row(part, _definition_of(source), is_adopted=is_adopted)

    def _checked_row(self, part: Part, row: Any, *, is_adopted: bool = False) -> Definition:
        for name in FIXED.get(kind_of(part), ()):
            says = getattr(part, name)
            is_same = (
                row.program_id == self.row(PartKind.PROGRAM, says).pk
                if name == "program"
                else getattr(row, name) == says
            )
            if not is_same:
                message = _("“%(title)s” is here already, with another %(what)s.")
                told = message % {"title": row.title, "what": name}
                raise refused([Fault(path_of(part), f"/{name}", "of-another-kind", told)])
        return Definition(row, is_new=False, is_adopted=is_adopted)

    def _made(self, part: Part) -> Definition:
        kind, model = kind_of(part), _model(part)
        slug = self._free_slug(part, model)
        row = row_of(part, created_by=self.actor, **self._relations(part))
        row.slug = slug
        if isinstance(part, Course):
            row.catalog_course_id = self.catalog_course_id
        row.save(force_insert=True)
        if self.catalog_course_id or part.origin != own_origin() or slug != part.slug:
            ImportedDefinition.objects.create(
                kind=kind,
                origin=part.origin,
                slug=part.slug,
                catalog_course_id=self.catalog_course_id,
                **{kind.value: row},
            )
        record_admin_action(actor=self.actor, action=f"{row._meta.model_name}.created", entity=row)
        return Definition(row, is_new=True)

    def _relations(self, part: Part) -> dict[str, Any]:
        if isinstance(part, Assessment):
            return {"course": self.row(PartKind.COURSE, part.course)}
        if kind_of(part) in FIXED:
            return {"program": self.row(PartKind.PROGRAM, getattr(part, "program"))}  # noqa: B009
        return {}

    def _free_slug(self, part: Part, model: type[models.Model]) -> str:
        begun = model._default_manager.filter(slug__startswith=part.slug[:90])
        taken = set(begun.values_list("slug", flat=True))
        if part.slug in taken and self.on_conflict == OnConflict.REFUSE:
            message = _(
                "The short name “%(slug)s” is taken by something that did not come from %(origin)s."
            )
            told = message % {"slug": part.slug, "origin": part.origin}
            raise refused([Fault(path_of(part), "/slug", "slug-taken", told)])
        return free_key(part.slug, taken)


def _model(part: Part) -> type[models.Model]:
    return MODELS[type(part)]


def _definition_of(source: ImportedDefinition) -> Any:
    return getattr(source, source.kind)


def changed_words(part: Part, row: Any) -> dict[str, Any]:
    """Return field -> value of what the part says of its definition otherwise than the row."""
    fixed = {"slug", *FIXED.get(kind_of(part), ())}
    said = values_of(part)
    return {
        name: value
        for name, value in said.items()
        if name not in fixed and getattr(row, name) != value
    }
