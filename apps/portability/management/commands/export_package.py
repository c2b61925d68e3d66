"""`manage.py export_package`: a published course or program of an organisation, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.problems import Problem
from apps.core.tenancy import connection, tenant_context
from apps.organizations.models import Organization, ProvisioningStep
from apps.portability.selectors.export import NothingPublished, newest_published
from apps.portability.services import export_version
from apps.programs.models import Course, Program


def organization_called(slug: str) -> Organization:
    """Return a ready organisation by its short name. Raises CommandError."""
    with connection.platform():
        found: Organization | None = Organization.objects.filter(
            slug=slug, provisioning=ProvisioningStep.READY
        ).first()
    if found is None:
        raise CommandError(f"There is no organisation {slug!r}.")
    return found


class Command(BaseCommand):
    help = "Write a package of a published course, or of a program with everything that it needs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", required=True, help="its short name")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--course", help="the course's short name")
        what.add_argument("--program", help="the program's short name")
        parser.add_argument("--number", type=int, help="this version, not the newest published one")
        parser.add_argument("--output", required=True, type=Path, help="the file to write")

    def handle(self, *args: Any, **options: Any) -> None:
        with tenant_context(organization_called(options["organization"])):
            try:
                data = self._packed(options)
            except Problem as problem:
                faults = [f"\n  {error['field']}: {error['message']}" for error in problem.errors]
                raise CommandError(f"{problem}{''.join(faults)}") from problem
        output: Path = options["output"]
        try:
            output.write_bytes(data)
        except OSError as error:
            raise CommandError(f"{output} can't be written: {error.strerror}.") from error
        self.stdout.write(f"{output}: {len(data)} bytes")

    def _packed(self, options: dict[str, Any]) -> bytes:
        model: type[Course] | type[Program] = Course if options["course"] else Program
        slug = options["course"] or options["program"]
        definition = model._default_manager.filter(slug=slug).first()
        if definition is None:
            raise CommandError(f"There is no {model._meta.verbose_name} {slug!r}.")
        version = _version(definition, options["number"])
        return export_version(version=version, actor=None).data


def _version(definition: Course | Program, number: int | None) -> Any:
    if number is None:
        return newest_published(definition)
    version = definition.versions.filter(number=number).first()
    if version is None:
        raise NothingPublished(detail=f"“{definition}” has no version {number}.")
    return version
