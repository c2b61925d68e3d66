"""What becomes of a package, part by part: the same for a trial and for the import itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from apps.core.versions import VersionDiff
from apps.portability.faults import Fault
from apps.portability.vocabulary import Outcome, PackageKind, PartKind

NEEDS_REFUSED: Final = "needs-refused"
"""The code of a part that is refused only because another one is."""


@dataclass(frozen=True)
class PartOutcome:
    """What becomes of one part. `slug` is its short name here, `versions` are their labels here.

    `differences` are those of each version that is new against the one before it.
    """

    kind: PartKind
    file: str
    slug: str
    title: str
    outcome: Outcome
    definition_id: UUID | None = None
    version_ids: tuple[UUID, ...] = ()
    versions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    differences: tuple[VersionDiff, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """Return it as plain JSON values, without the differences."""
        return {
            "kind": self.kind.value,
            "file": self.file,
            "slug": self.slug,
            "title": self.title,
            "outcome": self.outcome.value,
            "definition": str(self.definition_id) if self.definition_id else None,
            "versions": list(self.versions),
            "version_ids": [str(version_id) for version_id in self.version_ids],
            "notes": list(self.notes),
            "problems": [
                {"file": f.file, "path": f.path, "code": f.code, "message": f.message}
                for f in self.faults
            ],
        }


@dataclass(frozen=True)
class ImportReport:
    """What becomes of a package. After a trial nothing has changed and there is no id."""

    kind: PackageKind
    slug: str
    title: str
    digest: str
    is_dry_run: bool
    root_file: str
    parts: tuple[PartOutcome, ...]
    import_id: UUID | None = None

    @property
    def counts(self) -> dict[str, int]:
        """Return outcome -> how many parts, in the order of outcomes, those that occur."""
        counted = Counter(part.outcome for part in self.parts)
        return {outcome.value: counted[outcome] for outcome in Outcome if counted[outcome]}

    @property
    def faults(self) -> list[Fault]:
        """Return everything that is refused, causes before what follows from them."""
        found = (fault for part in self.parts for fault in part.faults)
        return sorted(found, key=lambda fault: fault.code == NEEDS_REFUSED)

    @property
    def is_refused(self) -> bool:
        return any(part.outcome == Outcome.REFUSED for part in self.parts)

    @property
    def changes_anything(self) -> bool:
        return any(part.outcome != Outcome.UNCHANGED for part in self.parts)

    @property
    def root(self) -> PartOutcome:
        """Return what became of the package's subject."""
        return next(part for part in self.parts if part.file == self.root_file)
