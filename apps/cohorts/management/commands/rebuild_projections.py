"""manage.py rebuild_projections"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.cohorts.models import CohortEnrollment
from apps.cohorts.services import rebuild_course_progress
from apps.core.clock import now
from apps.core.tasks import ready_organizations
from apps.core.tenancy import tenant_context


class Command(BaseCommand):
    help = "Recompute course progress from the events; says how many rows were not as they should."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", help="only this organisation")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["organization"]
        organizations = [
            organization
            for organization in ready_organizations()
            if slug is None or organization.slug == slug
        ]
        if slug is not None and not organizations:
            raise CommandError(f"There is no organisation “{slug}”.")
        for organization in organizations:
            with tenant_context(organization):
                done = rebuild_course_progress(at=now())
                enrollments = CohortEnrollment.objects.filter(enrolled_at__isnull=False).count()
            self.stdout.write(
                f"{organization.slug}: {enrollments} enrolments, {done.written} rows written, "
                f"{done.removed} removed, {len(done.advanced)} learners owed a step"
            )
