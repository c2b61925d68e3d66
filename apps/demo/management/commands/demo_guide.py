"""`manage.py demo_guide`: where the demo is, who can sign in, and what to try."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.core.tenancy import connection
from apps.demo.content import ORGANIZATIONS
from apps.demo.content.organizations import OrganizationPlan
from apps.demo.people import SIGN_IN_WITH
from apps.organizations.hosts import base_url
from apps.organizations.models import OrganizationDomain


class Command(BaseCommand):
    help = "Print the demo's addresses, its accounts and what to try."

    requires_system_checks: list[str] = []  # it is run at each start, and they are slow

    def handle(self, *args: Any, **options: Any) -> None:
        with connection.platform():
            domains = OrganizationDomain.objects.filter(is_primary=True)
            hosts = dict(domains.values_list("tenant__slug", "domain"))
        for plan in ORGANIZATIONS:
            host = hosts.get(plan.slug, f"{plan.slug}.{settings.PLATFORM_HOST}")
            self.stdout.write("\n".join(_lines(plan, base_url(host))))
            self.stdout.write("")
        self.stdout.write(f"Everybody’s password: {SIGN_IN_WITH}")
        self.stdout.write("With your own roster and questions: manage.py run_cohort --help")


def _lines(plan: OrganizationPlan, url: str) -> list[str]:
    width = max(len(member.email) for member in plan.members)
    return [
        f"{plan.name}  {url}/   back office: {url}/admin/",
        *(f"  {member.role:<10} {member.email:<{width}}  {member.hint}" for member in plan.members),
    ]
