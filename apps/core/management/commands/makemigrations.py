"""Django's makemigrations, for which names are no part of a table."""

from __future__ import annotations

from django.core.management.commands import makemigrations

from apps.core.autodetector import NamelessAutodetector


class Command(makemigrations.Command):
    autodetector = NamelessAutodetector
