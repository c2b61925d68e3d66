"""What is wrong with a package: each thing with its file, the path in it, a code and a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from apps.core.problems import Conflict, FieldError, Invalid

MOST_TOLD = 100


@dataclass(frozen=True)
class Fault:
    """One thing wrong. `file` is empty for the archive as a whole, `path` a JSON Pointer."""

    file: str
    path: str
    code: str
    message: str

    @property
    def place(self) -> str:
        return f"{self.file}#{self.path}" if self.path else self.file

    def as_error(self) -> FieldError:
        return {"field": self.place, "code": self.code, "message": self.message}


class PackageRefused(Invalid):
    code = "package-refused"
    title = "This package can't be used."


class NotExportable(Conflict):
    code = "not-exportable"
    title = "This can't be exported as it is."


def refused(faults: Iterable[Fault]) -> PackageRefused:
    """Return the refusal that tells these faults, the first hundred of them."""
    told = list(faults)
    detail = f"{told[0].place}: {told[0].message}".removeprefix(": ") if told else ""
    if len(told) > 1:
        detail = f"{detail} And {len(told) - 1} more."
    return PackageRefused(detail, errors=[fault.as_error() for fault in told[:MOST_TOLD]])
