"""How the outcome of a verification looks under /v1."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework import serializers

from apps.credentials.findings import State
from apps.credentials.reasons import Reason
from apps.credentials.selectors.verification import Verdict

STATES = ", ".join(state.value for state in State)
REASONS = "A stable code: " + ", ".join(reason.value for reason in Reason)


class StepSerializer(serializers.Serializer[Any]):
    """One check: its state, a stable reason, a sentence for people, a detail for engineers."""

    name = serializers.CharField()
    state = serializers.CharField(help_text=STATES)
    reason = serializers.CharField(help_text=REASONS)
    sentence = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)


class ContentSerializer(serializers.Serializer[Any]):
    """What the credential states: to be believed only when the state is valid."""

    id = serializers.CharField(allow_blank=True)
    name = serializers.CharField(allow_blank=True)
    description = serializers.CharField(allow_blank=True)
    achievement_id = serializers.CharField(allow_blank=True)
    achievement_type = serializers.CharField(allow_blank=True)
    holder = serializers.CharField(allow_blank=True)
    number = serializers.CharField(allow_blank=True)
    issuer_id = serializers.CharField(allow_blank=True)
    issuer_name = serializers.CharField(allow_blank=True)
    issued_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)


class VerdictSerializer(serializers.Serializer[Any]):
    """The outcome of all checks. `award` is the id of this organisation's award, if it is one."""

    state = serializers.CharField(help_text=STATES)
    verified_at = serializers.DateTimeField()
    award = serializers.UUIDField(allow_null=True)
    steps = StepSerializer(many=True)
    content = ContentSerializer()


def verdict_as_data(verdict: Verdict, at: datetime) -> dict[str, Any]:
    """Return a verdict as plain JSON values."""
    shown = {
        "state": verdict.state,
        "verified_at": at,
        "award": verdict.award_id,
        "steps": verdict.steps,
        "content": verdict.content,
    }
    return dict(VerdictSerializer(shown).data)
