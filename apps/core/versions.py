"""Draft, publish, freeze, copy, compare: one implementation for everything authored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from graphlib import TopologicalSorter
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import Max

from apps.core.ids import uuid7
from apps.core.models import Definition, Version, VersionChild, VersionStatus
from apps.core.ports import Port
from apps.core.problems import Conflict

V = TypeVar("V", bound=Version)


def _nobody(model: type[models.Model], definition_id: Any) -> None:
    """Nobody wants to know."""


definition_changed: Port[[type[models.Model], Any], None] = Port(
    "core.definition_changed", default=_nobody
)
"""Told in the transaction: what is published of a definition, or its own words, changed."""


@dataclass(frozen=True)
class PublicationProblem:
    """One reason why a draft can't be published; `key` names the part at fault."""

    code: str
    message: str
    key: str = ""


class NotPublishable(Conflict):
    code = "not-publishable"
    title = "This draft cannot be published yet."


class NotADraft(Conflict):
    code = "not-a-draft"
    title = "This version is published: it can no longer be changed."


class DraftExists(Conflict):
    code = "draft-exists"
    title = "There is a draft already."


class NotPublished(Conflict):
    code = "not-published"
    title = "Only a published version can be retired."


def child_models(version_model: type[Version]) -> list[type[VersionChild]]:
    """Return the models whose rows are parts of such a version, referenced ones first."""
    children = {
        relation.related_model
        for relation in version_model._meta.related_objects
        if relation.field.name == "version" and issubclass(relation.related_model, VersionChild)
    }
    graph = {child: set(_sibling_fields(child, children).values()) - {child} for child in children}
    ordered = TopologicalSorter(
        {c: sorted(graph[c], key=_table) for c in sorted(children, key=_table)}
    )
    return list(ordered.static_order())


def _table(model: type[models.Model]) -> str:
    return model._meta.db_table


def _sibling_fields(
    child: type[VersionChild], children: set[type[VersionChild]]
) -> dict[str, type[VersionChild]]:
    return {
        f.attname: f.related_model
        for f in child._meta.concrete_fields
        if isinstance(f, models.ForeignKey) and f.related_model in children
    }


def rows(model: type[models.Model], **which: Any) -> models.QuerySet[Any]:
    """Return the rows of any version's or child's model, by fields that only subclasses have."""
    return model._default_manager.filter(**which)


def _new(make: Callable[..., Any], **values: Any) -> Any:
    return make(**values)


def lock_version(version: V) -> V:
    """Return the version read again under a row lock."""
    locked: V = type(version)._default_manager.select_for_update().get(pk=version.pk)
    return locked


@transaction.atomic
def publish(*, version: V, actor: Any, at: datetime) -> V:
    """Return the draft as the definition's next numbered version, frozen from now on.

    Raises NotADraft, or NotPublishable with every PublicationProblem.
    """
    version = lock_version(version)
    if not version.is_draft:
        raise NotADraft
    version.before_publish()
    problems = version.publication_problems()
    if problems:
        raise NotPublishable(
            errors=[
                {"field": problem.key, "code": problem.code, "message": problem.message}
                for problem in problems
            ]
        )
    newest = rows(type(version), definition_id=version.definition_id).aggregate(
        newest=Max("number")
    )["newest"]
    version.number = (newest or 0) + 1
    version.status = VersionStatus.PUBLISHED
    version.published_at = at
    version.published_by = actor
    version.save()
    definition_changed(definition_model(type(version)), version.definition_id)
    return version


@transaction.atomic
def retire(*, version: V, actor: Any, at: datetime) -> V:
    """Return the published version, retired: what points at it stays, nothing new may.

    Raises NotPublished.
    """
    version = lock_version(version)
    if version.status != VersionStatus.PUBLISHED:
        raise NotPublished
    version.status = VersionStatus.RETIRED
    version.retired_at = at
    version.save(update_fields=["status", "retired_at"])
    definition_changed(definition_model(type(version)), version.definition_id)
    return version


@transaction.atomic
def new_draft(*, definition: Definition, actor: Any, at: datetime) -> Version:
    """Return a new draft: a copy of the newest version with all its parts, or an empty one.

    Raises DraftExists.
    """
    _demand_no_draft(definition)
    versions = rows(version_model(type(definition)), definition_id=definition.pk)
    newest = versions.order_by("-number").first()
    return _empty(definition) if newest is None else _copy(newest)


@transaction.atomic
def blank_draft(*, definition: Definition, actor: Any, at: datetime, **says: Any) -> Version:
    """Return a new draft that says only this: its parts are written anew, none are copied.

    Raises DraftExists.
    """
    _demand_no_draft(definition)
    return _empty(definition, **says)


def _demand_no_draft(definition: Definition) -> None:
    """Lock the definition, so that no two begin a draft at once. Raises DraftExists."""
    type(definition)._default_manager.select_for_update().get(pk=definition.pk)
    versions = rows(version_model(type(definition)), definition_id=definition.pk)
    if versions.filter(status=VersionStatus.DRAFT).exists():
        raise DraftExists


def _empty(definition: Definition, **says: Any) -> Version:
    draft = version_model(type(definition))(**says)
    draft.definition_id = definition.pk
    draft.save(force_insert=True)
    return draft


def version_model(definition_model: type[Definition]) -> type[Version]:
    """Return the model of such a definition's versions."""
    related = {f.name: f for f in definition_model._meta.get_fields()}["versions"].related_model
    assert isinstance(related, type)  # noqa: S101
    assert issubclass(related, Version)  # noqa: S101
    return related


def definition_model(version: type[Version]) -> type[models.Model]:
    """Return the model of what such a version is a version of."""
    model = version._meta.get_field("definition").related_model
    assert isinstance(model, type)  # noqa: S101
    return model


_NOT_COPIED = {"id", "status", "number", "created_at", "published_at", "published_by", "retired_at"}


def _values(row: models.Model, *, without: set[str]) -> dict[str, Any]:
    return {
        f.attname: getattr(row, f.attname)
        for f in row._meta.concrete_fields
        if f.name not in without
    }


def _copy(version: Version) -> Version:
    model = type(version)
    draft: Version = model._default_manager.create(**_values(version, without=_NOT_COPIED))
    models_in_order = child_models(model)
    copied: dict[type[VersionChild], dict[Any, Any]] = {}
    for child in models_in_order:
        siblings = _sibling_fields(child, set(models_in_order))
        originals = list(rows(child, version_id=version.pk).order_by("id"))
        copied[child] = {row.pk: uuid7() for row in originals}
        copies = []
        for row in originals:
            values = _values(row, without={"id", "version"})
            for name, target in siblings.items():
                if values[name] is not None:
                    values[name] = copied[target][values[name]]
            copy = child(id=copied[child][row.pk], **values)
            copy.version_id = draft.pk
            copies.append(copy)
        child._default_manager.bulk_create(copies)
    return draft


def previous(version: Version) -> Version | None:
    """Return the newest published or retired version before this one."""
    numbered = rows(type(version), definition_id=version.definition_id, number__isnull=False)
    if version.number is not None:
        numbered = numbered.filter(number__lt=version.number)
    found: Version | None = numbered.order_by("-number").first()
    return found


@dataclass(frozen=True)
class FieldChange:
    """One field's value before and after."""

    field: str
    old: Any
    new: Any


@dataclass(frozen=True)
class PartChange:
    """One part of a version that was added, removed or changed; `part` is "" for the version."""

    part: str
    key: str
    outcome: str
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True)
class VersionDiff:
    """Everything that differs between two versions of one definition."""

    changes: tuple[PartChange, ...] = field(default_factory=tuple)

    def __bool__(self) -> bool:
        return bool(self.changes)


def diff(old: Version | None, new: Version) -> VersionDiff:
    """Return what `new` changes; without an old version everything is added."""
    changes: list[PartChange] = []
    if old is not None:
        left_out = {"definition", *new.not_compared}
        fields = _field_changes(_comparable(old, left_out, {}), _comparable(new, left_out, {}))
        if fields:
            changes.append(PartChange(part="", key="", outcome="changed", fields=fields))
    for child in child_models(type(new)):
        changes.extend(_part_changes(child, old, new))
    return VersionDiff(tuple(changes))


def _part_changes(
    child: type[VersionChild], old: Version | None, new: Version
) -> Iterator[PartChange]:
    before = _parts(child, old) if old is not None else {}
    after = _parts(child, new)
    name = str(child._meta.verbose_name)
    for key in sorted(before.keys() | after.keys()):
        if key not in before:
            fields = tuple(FieldChange(f, None, value) for f, value in after[key].items())
            yield PartChange(name, key, "added", fields)
        elif key not in after:
            fields = tuple(FieldChange(f, value, None) for f, value in before[key].items())
            yield PartChange(name, key, "removed", fields)
        elif fields := _field_changes(before[key], after[key]):
            yield PartChange(name, key, "changed", fields)


def _parts(child: type[VersionChild], version: Version) -> dict[str, dict[str, Any]]:
    """Return key -> values, with references to siblings told by their keys, not ids."""
    family = set(child_models(type(version)))
    siblings = {
        name: dict(rows(target, version_id=version.pk).values_list("id", "key"))
        for name, target in _sibling_fields(child, family).items()
    }
    parts = rows(child, version_id=version.pk)
    return {part.key: _comparable(part, {"version", "key"}, siblings) for part in parts}


def _comparable(
    row: models.Model, without: set[str], siblings: dict[str, dict[Any, str]]
) -> dict[str, Any]:
    values = _values(row, without=_NOT_COPIED | without)
    for name, keys in siblings.items():
        values[name] = keys.get(values[name], values[name])
    return values


def _field_changes(old: dict[str, Any], new: dict[str, Any]) -> tuple[FieldChange, ...]:
    return tuple(FieldChange(f, old[f], new[f]) for f in new if old[f] != new[f])
