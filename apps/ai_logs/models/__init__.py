"""Tables of the AI log, by noun."""

from apps.ai_logs.models.contents import AiContent, AiErasure, AiSessionKey
from apps.ai_logs.models.interactions import AiFeedback, AiInteraction
from apps.ai_logs.models.oversight import AiBudget, AiBudgetAlert, AiMonthSpend, AiSafetyReview
from apps.ai_logs.models.policies import AiRetentionPolicy
from apps.ai_logs.models.prices import AiInteractionCost, AiModelPrice
from apps.ai_logs.models.sessions import AiSession
from apps.ai_logs.models.traces import AiPendingSpan, AiTraceContext

__all__ = [
    "AiBudget",
    "AiBudgetAlert",
    "AiContent",
    "AiErasure",
    "AiFeedback",
    "AiInteraction",
    "AiInteractionCost",
    "AiModelPrice",
    "AiMonthSpend",
    "AiPendingSpan",
    "AiRetentionPolicy",
    "AiSafetyReview",
    "AiSession",
    "AiSessionKey",
    "AiTraceContext",
]
