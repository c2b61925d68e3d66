"""`manage.py catalog_withdraw`: a version is offered no longer."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from apps.catalog.models import CatalogCourseVersion
from apps.catalog.services import withdraw_version
from apps.core.problems import Problem
from apps.core.tenancy import connection
from apps.portability.management.commands.import_package import told


class Command(BaseCommand):
    help = (
        "Withdraw a version from the platform's catalog. Organisations that adopted it keep it, "
        "and read the reason; this can't be undone, but the same content can be published again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("course", help="its short name in the catalog")
        parser.add_argument("number", type=int, help="the version's number")
        parser.add_argument("--reason", required=True, help="why, for who has adopted it")

    def handle(self, *args: Any, **options: Any) -> None:
        with connection.platform(), transaction.atomic():
            version = (
                CatalogCourseVersion.objects.select_related("course")
                .filter(course__slug=options["course"], number=options["number"])
                .first()
            )
            if version is None:
                raise CommandError(
                    f"The catalog has no version {options['number']} of {options['course']!r}."
                )
            try:
                withdraw_version(version=version, reason=options["reason"], actor_id=None)
            except Problem as problem:
                raise told(problem) from problem
        self.stdout.write(f"{options['course']} version {options['number']}: withdrawn")
