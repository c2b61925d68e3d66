"""Writes of reporting, by noun."""

from apps.reporting.services.facts import Refreshed, rebuild_facts, refresh_facts, refresh_many

__all__ = ["Refreshed", "rebuild_facts", "refresh_facts", "refresh_many"]
