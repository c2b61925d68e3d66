"""`manage.py catalog_publish`: a course into the platform's catalog, or its next version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from apps.catalog.models import CatalogCourseVersion
from apps.catalog.selectors import course_called, versions_of
from apps.catalog.services import PackagedCourse, Terms, publish_version
from apps.core.problems import Problem
from apps.core.tenancy import connection, tenant_context
from apps.portability.cataloguing import packaged_course
from apps.portability.format import pack, unpack
from apps.portability.management.commands.export_package import organization_called
from apps.portability.management.commands.import_package import read_package_file, told
from apps.portability.selectors.export import export_course, newest_published
from apps.programs.models import Course

TERMS = ("summary", "licence", "language", "publisher")


class Command(BaseCommand):
    help = (
        "Publish a course in the platform's catalog, from a package or from an organisation. What "
        "is not said is as in the version before."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="the package of a course")
        parser.add_argument("--organization", help="instead of a file: whose course")
        parser.add_argument("--course", help="its short name; its newest version is taken")
        parser.add_argument("--slug", help="the short name in the catalog, if it is to be another")
        parser.add_argument("--summary", help="what the course is about, in a few sentences")
        parser.add_argument("--licence", help="an SPDX identifier, or the licence's name")
        parser.add_argument("--language", help="of the course: en, de, pt-BR …")
        parser.add_argument("--publisher", help="who answers for the course")
        parser.add_argument("--changelog", default="", help="what is new in this version")

    def handle(self, *args: Any, **options: Any) -> None:
        is_from_organization = bool(options["organization"] and options["course"])
        if bool(options["file"]) == is_from_organization:
            raise CommandError("Name a package, or an --organization and its --course.")
        try:
            course = packaged_course(unpack(self._data(options)))
            slug = options["slug"] or course.source_slug
            with connection.platform(), transaction.atomic():
                terms = _terms(course, slug, options)
                version, is_new = publish_version(
                    course=course, slug=slug, terms=terms, actor_id=None
                )
        except Problem as problem:
            raise told(problem) from problem
        outcome = "published" if is_new else "there already, unchanged"
        self.stdout.write(f"{slug} version {version.number}: {outcome}")

    def _data(self, options: dict[str, Any]) -> bytes:
        if options["file"]:
            return read_package_file(options["file"])
        with tenant_context(organization_called(options["organization"])):
            course = Course.objects.filter(slug=options["course"]).first()
            if course is None:
                raise CommandError(f"There is no course {options['course']!r}.")
            return pack(export_course(newest_published(course)))


def _terms(course: PackagedCourse, slug: str, options: dict[str, Any]) -> Terms:
    """Return what was said, else what the version before says. Raises CommandError."""
    row = course_called(slug)
    before: CatalogCourseVersion | None = versions_of(row).first() if row else None
    said = {name: options[name] for name in TERMS}
    for name in TERMS:
        if said[name] is None and before is not None:
            said[name] = getattr(before, name)
    said["summary"] = said["summary"] or ""
    missing = [f"--{name}" for name in TERMS if said[name] is None]
    if missing:
        raise CommandError(f"For the first version say {', '.join(missing)} as well.")
    return Terms(changelog=options["changelog"], **said)
