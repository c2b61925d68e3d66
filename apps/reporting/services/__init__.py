"""Writes of reporting, by noun."""

from apps.reporting.services.facts import Refreshed, rebuild_facts, refresh_facts, refresh_many
from apps.reporting.services.risks import set_thresholds

__all__ = ["Refreshed", "rebuild_facts", "refresh_facts", "refresh_many", "set_thresholds"]
