"""/v1/ai/safety-reviews: what was flagged, who looks, what they decided."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import BooleanFilter
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.ai_logs.api.session_views import principal_of
from apps.ai_logs.models import AiSafetyReview
from apps.ai_logs.selectors.safety import visible_reviews
from apps.ai_logs.services.safety import assign_review, decide_review
from apps.ai_logs.vocabulary import ReviewDecision
from apps.cohorts.api.base import named
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.contacts.models import Contact
from apps.core.api import ApiView, StrictSerializer
from apps.core.clock import now
from apps.programs.api.filters import IdFilterSet


class AiSafetyReviewSerializer(serializers.ModelSerializer[AiSafetyReview]):
    """One flagged message: whose, who flagged it, in whose hands it is, and what was decided."""

    session = serializers.UUIDField(source="interaction.session_id")
    contact = serializers.UUIDField(source="interaction.session.contact_id", allow_null=True)
    flagged_by = serializers.UUIDField(source="feedback.contact_id", allow_null=True, default=None)
    decision = serializers.CharField(
        help_text=f"Empty until it is decided, then: {', '.join(ReviewDecision.values)}."
    )

    class Meta:
        model = AiSafetyReview
        fields = [
            "id",
            "interaction",
            "session",
            "contact",
            "flagged_by",
            "state",
            "assignee",
            "decision",
            "note",
            "decided_by",
            "decided_at",
            "opened_at",
        ]
        read_only_fields = fields


class AssignReviewSerializer(StrictSerializer):
    """Null puts the case back among those of nobody."""

    assignee = serializers.UUIDField(allow_null=True)


class DecideSerializer(StrictSerializer):
    """What became of it, and why."""

    decision = serializers.ChoiceField(ReviewDecision.choices)
    note = serializers.CharField(max_length=4_000)


class ReviewFilter(IdFilterSet):
    """Exact matches; `is_unassigned` for what nobody has taken on."""

    is_unassigned = BooleanFilter(field_name="assignee", lookup_expr="isnull")

    class Meta:
        model = AiSafetyReview
        fields = [
            "state",
            "decision",
            "assignee",
            "interaction",
            "interaction__session",
            "interaction__session__contact",
        ]


class AiSafetyReviewViewSet(
    ApiView,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[AiSafetyReview],
):
    """The safety queue of the cohorts one staffs, or of the organisation."""

    permission_classes = [Requires(Capability.REVIEW_SAFETY, read=Capability.READ_CONVERSATIONS)]
    queryset = AiSafetyReview.objects.all()
    serializer_class = AiSafetyReviewSerializer
    filterset_class = ReviewFilter

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset()
        return visible_reviews(principal_of(self.request))

    @extend_schema(request=AssignReviewSerializer)
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, **kwargs: Any) -> Response:
        """Put the case into somebody's hands. 409 when it is decided."""
        review = self.get_object()
        said = AssignReviewSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        wanted = said.validated_data["assignee"]
        assign_review(
            review=review,
            assignee=named(Contact.objects.all(), wanted, field="assignee") if wanted else None,
            actor=actor_of(request),
        )
        return self._told(review)

    @extend_schema(request=DecideSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, **kwargs: Any) -> Response:
        """Decide, for good. 409 when it is decided already, 403 about one's own conversation."""
        review = self.get_object()
        said = DecideSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        decide_review(review=review, actor=actor_of(request), at=now(), **said.validated_data)
        return self._told(review)

    def _told(self, review: AiSafetyReview) -> Response:
        row = self.get_queryset().get(pk=review.pk)
        return Response(self.get_serializer(row).data)
