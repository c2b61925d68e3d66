"""Run in a process of its own, as the owner: migrate and provision both test organisations."""

from __future__ import annotations

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from apps.organizations.models import (  # noqa: E402
    Organization,
    OrganizationDomain,
    schema_of,
)
from apps.organizations.provisioning import provision  # noqa: E402
from tests.database import ORG_A, ORG_B  # noqa: E402


def main() -> None:
    call_command("setup", verbosity=0)
    connection.set_schema_to_public()
    for slug, organization_id in (("a", ORG_A), ("b", ORG_B)):
        organization = Organization(
            id=organization_id,
            slug=slug,
            name=f"Organisation {slug.upper()}",
            schema_name=schema_of(organization_id),
        )
        organization.save(force_insert=True)
        OrganizationDomain.objects.create(
            tenant=organization, domain=f"{slug}.localhost", is_primary=True
        )
        provision(organization)


main()
