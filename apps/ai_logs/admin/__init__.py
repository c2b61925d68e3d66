"""Back office of AI conversations: what was said, what it cost, who has to look."""

from apps.ai_logs.admin.budgets import AiBudgetAdmin
from apps.ai_logs.admin.prices import AiModelPriceAdmin
from apps.ai_logs.admin.retention import AiRetentionPolicyAdmin
from apps.ai_logs.admin.safety import AiSafetyReviewAdmin
from apps.ai_logs.admin.sessions import AiSessionAdmin

__all__ = [
    "AiBudgetAdmin",
    "AiModelPriceAdmin",
    "AiRetentionPolicyAdmin",
    "AiSafetyReviewAdmin",
    "AiSessionAdmin",
]
