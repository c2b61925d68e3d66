"""The migrate of schemas, which sees the same differences as our makemigrations."""

from __future__ import annotations

from django_tenants.management.commands.migrate_schemas import MigrateSchemasCommand

from apps.core.autodetector import NamelessAutodetector


class Command(MigrateSchemasCommand):  # type: ignore[misc]
    autodetector = NamelessAutodetector
