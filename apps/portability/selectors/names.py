"""What rows are called in a package: ids never leave an organisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db import models

from apps.core.tenancy import connection
from apps.portability.content import Placement
from apps.portability.models import ImportedDefinition
from apps.portability.vocabulary import PartKind


@dataclass(frozen=True)
class Names:
    """Id -> name in the package, for definitions by kind and for the versions that are pinned.

    What has no name here is told by its own short name behind `foreign`: an export then says
    which reference leads out of the package, and a comparison never takes it for a part of it.
    """

    definitions: Mapping[PartKind, Mapping[UUID, str]] = field(default_factory=dict)
    editions: Mapping[UUID, Placement] = field(default_factory=dict)
    course_versions: Mapping[UUID, str] = field(default_factory=dict)
    foreign: str = ""

    def of(self, kind: PartKind, row: models.Model | None) -> str | None:
        """Return what a definition is called, None for none."""
        if row is None:
            return None
        known: str | None = self.definitions.get(kind, {}).get(row.pk)
        return known or f"{self.foreign}{getattr(row, 'slug', '')}"

    def is_inside(self, kind: PartKind, row: models.Model) -> bool:
        return row.pk in self.definitions.get(kind, {})


def own_origin() -> str:
    """Return what tells this organisation's own definitions from those of others."""
    return f"{connection.tenant.slug}@{settings.PLATFORM_HOST}"


def origins_of(kind: PartKind, ids: list[UUID]) -> dict[UUID, tuple[str, str]]:
    """Return definition -> (origin, short name there) of those that came in a package."""
    rows = ImportedDefinition.objects.filter(**{f"{kind.value}__in": ids})
    found = rows.values_list(f"{kind.value}_id", "origin", "slug")
    return {definition: (origin, slug) for definition, origin, slug in found}


def origin_of(row: models.Model, origins: Mapping[UUID, tuple[str, str]]) -> str:
    """Return a definition's origin: where it came from, if it still has its name from there."""
    origin, slug = origins.get(row.pk, ("", ""))
    return origin if origin and slug == getattr(row, "slug", "") else own_origin()
