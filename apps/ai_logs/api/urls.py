"""Addresses under /v1 of the AI log."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from apps.ai_logs.api.budgets import BudgetView
from apps.ai_logs.api.interaction_views import AiInteractionViewSet, SessionInteractionsView
from apps.ai_logs.api.otlp import TracesView
from apps.ai_logs.api.safety import AiSafetyReviewViewSet
from apps.ai_logs.api.session_views import AiSessionViewSet, ArtefactView

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("ai/sessions", AiSessionViewSet, basename="aisession")
router.register("ai/interactions", AiInteractionViewSet, basename="aiinteraction")
router.register("ai/safety-reviews", AiSafetyReviewViewSet, basename="aisafetyreview")

urlpatterns = [
    path("ai/budget", BudgetView.as_view(), name="ai-budget"),
    path(
        "ai/sessions/<uuid:pk>/interactions",
        SessionInteractionsView.as_view(),
        name="aisession-interactions",
    ),
    path("otlp/v1/traces", TracesView.as_view(), name="otlp-traces"),
    path("ai/contents/<uuid:pk>", ArtefactView.as_view(), name="aicontent"),
    *router.urls,
]
