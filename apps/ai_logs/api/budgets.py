"""/v1/ai/budget: what may be spent this month, and what is."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.ai_logs.rules.budgets import DEFAULT_ALERT_PERCENT, Standing, month_of, next_month
from apps.ai_logs.selectors.budgets import standing
from apps.ai_logs.services.budgets import set_budget
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.core.api import ApiView, StrictSerializer
from apps.core.clock import now


def _amount(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=28, decimal_places=18, **options)


class BudgetStandingSerializer(serializers.Serializer[Any]):
    """The running month (UTC) in US dollars; null is no limit. `limit` is the lower of the two."""

    id = serializers.DateField(source="month", help_text="The month's first day.")
    spent = _amount()
    unpriced = serializers.IntegerField(help_text="Calls without a price in US dollars.")
    plan = _amount(allow_null=True)
    own = _amount(allow_null=True, source="own.amount", default=None)
    limit = _amount(allow_null=True)
    alert_percent = serializers.DecimalField(max_digits=5, decimal_places=2)
    alert_at = _amount(allow_null=True)
    stop_at = _amount(allow_null=True)
    is_stopped = serializers.BooleanField()
    resets_on = serializers.SerializerMethodField()

    def get_resets_on(self, found: Standing) -> str:
        return next_month(found.month).isoformat()


class NewBudgetSerializer(StrictSerializer):
    """The organisation's own budget from a month on; null leaves it to the plan.

    `month` is any day of its first month, else the running one.
    """

    amount = serializers.DecimalField(max_digits=14, decimal_places=2, min_value=0, allow_null=True)
    alert_percent = serializers.DecimalField(
        max_digits=5, decimal_places=2, min_value=1, max_value=100, default=DEFAULT_ALERT_PERCENT
    )
    is_hard_stop = serializers.BooleanField(default=False)
    month = serializers.DateField(required=False)


class BudgetView(ApiView):
    """The budget of the running month."""

    permission_classes = [Requires(Capability.MANAGE_SETTINGS, read=Capability.AUDIT_READ)]

    @extend_schema(responses=BudgetStandingSerializer)
    def get(self, request: Request) -> Response:
        """How much is spent, and when people are told and new calls refused."""
        return Response(BudgetStandingSerializer(standing(at=now())).data)

    @extend_schema(request=NewBudgetSerializer, responses=BudgetStandingSerializer)
    def put(self, request: Request) -> Response:
        """Set the organisation's own budget; it can't be more than the plan's."""
        said = NewBudgetSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        at = now()
        terms: dict[str, Any] = {"month": month_of(at), **said.validated_data}
        terms["month"] = terms["month"].replace(day=1)
        set_budget(actor=actor_of(request), at=at, **terms)
        return Response(BudgetStandingSerializer(standing(at=at)).data)
