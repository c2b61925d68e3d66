"""Tables of reporting, by noun."""

from apps.reporting.models.facts import Fact, FactAssessment, FactAttendance, FactProgress
from apps.reporting.models.risks import RiskThresholds

__all__ = ["Fact", "FactAssessment", "FactAttendance", "FactProgress", "RiskThresholds"]
