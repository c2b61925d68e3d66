"""How a learner's standing looks under /v1: statuses, why, and what next."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from apps.requirements.explanation import Action, ActionCode
from apps.requirements.facts import decimal_text
from apps.requirements.graph import NodeKind
from apps.requirements.models import Purpose
from apps.requirements.selectors.statuses import RequirementStatus, RequirementStatusTree
from apps.requirements.statuses import DecisionStatus, Reason, Status


class AmountField(serializers.CharField):
    """A count or a decimal, as the shortest plain text: no reader loses digits to a float."""

    def to_representation(self, value: Any) -> str:
        return decimal_text(Decimal(value))


class ActionSerializer(serializers.Serializer[Action]):
    """A next step. `target` and `target_key` name the course, assessment or program."""

    code = serializers.ChoiceField([code.value for code in ActionCode])
    requirement = serializers.CharField(source="node", help_text="The requirement's key.")
    text = serializers.CharField()
    target = serializers.UUIDField(source="target_id", allow_null=True)
    target_key = serializers.CharField(allow_blank=True)
    deadline = serializers.DateTimeField(allow_null=True)


class ExplanationSerializer(serializers.Serializer[Any]):
    """Why, as a stable code and a sentence, and the steps that would change it."""

    reason = serializers.ChoiceField([reason.value for reason in Reason])
    text = serializers.CharField()
    actions = ActionSerializer(many=True)


class RequirementStatusSerializer(serializers.Serializer[RequirementStatus]):
    """How one requirement stands. `have` of `need` are counted in the unit of the reason.

    `sign_off` and `waiver` are the words in force: what can be withdrawn.
    """

    key = serializers.CharField()
    node = serializers.UUIDField(source="node_id")
    kind = serializers.ChoiceField(NodeKind.choices)
    title = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)
    explanation = ExplanationSerializer()
    have = AmountField(allow_null=True)
    need = AmountField(allow_null=True)
    blocking = serializers.ListField(child=serializers.CharField())
    members = serializers.ListField(child=serializers.CharField())
    deadline = serializers.DateTimeField(allow_null=True)
    occurred_at = serializers.DateTimeField(allow_null=True)
    is_root = serializers.BooleanField()
    evaluation = serializers.UUIDField(source="evaluation_id", allow_null=True)
    recorded_status = serializers.ChoiceField(DecisionStatus.choices, allow_null=True)
    sign_off = serializers.UUIDField(source="signoff_id", allow_null=True)
    waiver = serializers.UUIDField(source="waiver_id", allow_null=True)


class RequirementStatusTreeSerializer(serializers.Serializer[RequirementStatusTree]):
    """Every requirement of one set, in the author's order."""

    requirement_set = serializers.UUIDField(source="set_id")
    set_version = serializers.UUIDField(source="version_id")
    title = serializers.CharField()
    purpose = serializers.ChoiceField(Purpose.choices)
    requirements = RequirementStatusSerializer(many=True)
    next_actions = ActionSerializer(many=True)


class StandingSerializer(serializers.Serializer[Any]):
    """An enrolment's standing in all its sets, computed from the facts of `as_of`."""

    id = serializers.UUIDField(help_text="The enrolment.")
    as_of = serializers.DateTimeField()
    sets = RequirementStatusTreeSerializer(many=True)
