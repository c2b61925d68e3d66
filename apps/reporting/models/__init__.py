"""Tables of reporting, by noun."""

from apps.reporting.models.facts import Fact, FactAssessment, FactAttendance, FactProgress

__all__ = ["Fact", "FactAssessment", "FactAttendance", "FactProgress"]
