"""`manage.py import_package`: a package into an organisation, or only what would become of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.clock import now
from apps.core.problems import Problem
from apps.core.tenancy import tenant_context
from apps.portability.format import MAX_BYTES, unpack
from apps.portability.management.commands.export_package import organization_called
from apps.portability.report import ImportReport
from apps.portability.services import Options, import_package
from apps.portability.vocabulary import OnConflict


def read_package_file(path: Path) -> bytes:
    """Return the file's bytes, not many more than a package may have. Raises CommandError."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}.") from error


def told(problem: Problem) -> CommandError:
    """Return a refusal as the command's error, with a line for each thing at fault."""
    faults = [f"\n  {error['field']}: {error['message']}" for error in problem.errors]
    return CommandError(f"{problem.title}{''.join(faults) or f' {problem.detail}'}")


class Command(BaseCommand):
    help = "Take a package in: everything in it, or nothing. Try it first with --dry-run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the package")
        parser.add_argument("--organization", required=True, help="its short name")
        parser.add_argument("--dry-run", action="store_true", help="report, and change nothing")
        parser.add_argument("--drafts", action="store_true", help="leave drafts to be published")
        parser.add_argument(
            "--rename", action="store_true", help="where a short name is taken, find another"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        data = read_package_file(options["file"])
        how = Options(
            leaves_drafts=options["drafts"],
            on_conflict=OnConflict.RENAME if options["rename"] else OnConflict.REFUSE,
            filename=options["file"].name,
        )
        with tenant_context(organization_called(options["organization"])):
            try:
                report = import_package(
                    package=unpack(data),
                    actor=None,
                    at=now(),
                    options=how,
                    dry_run=options["dry_run"],
                )
            except Problem as problem:
                raise told(problem) from problem
        self._tell(report)
        if report.is_refused:
            raise CommandError("The package would be refused.")

    def _tell(self, report: ImportReport) -> None:
        for part in report.parts:
            said = "; ".join([" ".join(part.versions), *part.notes]).strip("; ")
            self.stdout.write(f"{part.outcome.label}: {part.file} {said}".rstrip())
            for fault in part.faults:
                self.stdout.write(f"  {fault.place}: {fault.message}")
        if report.is_dry_run:
            self.stdout.write("Nothing has changed: this was a trial.")
