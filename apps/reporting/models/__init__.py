"""Tables of reporting, by noun."""

from apps.reporting.models.ai_usage import FactAiUsage
from apps.reporting.models.facts import Fact, FactAssessment, FactAttendance, FactProgress
from apps.reporting.models.risks import RiskThresholds

__all__ = [
    "Fact",
    "FactAiUsage",
    "FactAssessment",
    "FactAttendance",
    "FactProgress",
    "RiskThresholds",
]
