"""How assessments, their versions, items and rubrics look under /v1."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.assessment.models import (
    AssessmentItem,
    AssessmentPlacement,
    AssessmentTemplate,
    AssessmentVersion,
    BankItem,
    QuestionBank,
    Rubric,
    RubricCriterion,
    RubricLevel,
)
from apps.assessment.questions.keys import (
    KeyRefused,
    default_grader,
    default_rule,
    key_as_json,
    read_key,
)
from apps.assessment.vocabulary import GradedBy, Kind
from apps.contacts.definitions_api import DEFINITION_FIELDS, VERSION_FIELDS, VersionSerializer
from apps.core.api import M, StrictModelSerializer, StrictSerializer
from apps.core.problems import Invalid
from apps.programs.api.serializers import READ_ONLY, PartSerializer

QUESTION_FIELDS = [
    "kind",
    "title",
    "prompt_markdown",
    "points",
    "key_data",
    "scoring_rule",
    "graded_by",
    "feedback_markdown",
]


class KeyInvalid(Invalid):
    code = "key-invalid"
    title = "The answer key can't be scored by."


class AssessmentSerializer(StrictModelSerializer[AssessmentTemplate]):
    class Meta:
        model = AssessmentTemplate
        fields = [*DEFINITION_FIELDS, "type", "scoring_model", "course"]
        read_only_fields = READ_ONLY


class AssessmentVersionSerializer(VersionSerializer):
    """The terms of an assessment. Percentages are 0 to 100, times seconds."""

    class Meta(VersionSerializer.Meta):
        model = AssessmentVersion
        fields = [
            *VERSION_FIELDS,
            "instructions_markdown",
            "pass_percent",
            "percent_places",
            "attempts_allowed",
            "time_limit_seconds",
            "grace_seconds",
            "late_percent_per_day",
            "late_cap_percent",
            "late_cut_off_days",
            "result_policy",
            "release_policy",
            "shuffle_items",
            "shuffle_options",
        ]
        read_only_fields = VERSION_FIELDS


@extend_schema_field({"type": "object", "additionalProperties": True})
class KeyDataField(serializers.JSONField):
    """An answer key: what it holds depends on the kind of the item."""


class QuestionSerializer(PartSerializer[M]):
    """A question with its answer key, checked whole and put in its stored form.

    A rule or grader that is left open is the kind's default.
    """

    key_data = KeyDataField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kind = self._given(attrs, "kind")
        is_new_kind = self.instance is not None and kind != getattr(self.instance, "kind", kind)
        fresh = attrs if is_new_kind else None
        rule = self._given(attrs, "scoring_rule", within=fresh) or default_rule(kind)
        grader = self._given(attrs, "graded_by", within=fresh) or default_grader(kind)
        if kind == Kind.ESSAY and grader != GradedBy.PERSON:
            message = "Only a person can grade an essay."
            raise serializers.ValidationError(
                {"graded_by": serializers.ErrorDetail(message, code="needs-a-person")}
            )
        try:
            key = read_key(kind, rule, self._given(attrs, "key_data"))
        except KeyRefused as refused:
            raise KeyInvalid(
                errors=[
                    {"field": _field(fault.path), "code": fault.code, "message": fault.message}
                    for fault in refused.faults
                ]
            ) from refused
        return {**attrs, "scoring_rule": rule, "graded_by": grader, "key_data": key_as_json(key)}

    def _given(
        self, attrs: dict[str, Any], name: str, *, within: dict[str, Any] | None = None
    ) -> Any:
        """Return what the request says or, of what it leaves out, the row as it is."""
        if within is not None:
            return within.get(name, "")
        return attrs.get(name, getattr(self.instance, name, ""))


def _field(path: str) -> str:
    return path if path in ("kind", "scoring_rule", "key_data") else f"key_data.{path}"


def _of_same_version(attrs: dict[str, Any], instance: Any, name: str) -> None:
    """Refuse a part that belongs to another version."""
    part = attrs.get(name)
    version = attrs.get("version", getattr(instance, "version", None))
    if part is not None and part.version_id != getattr(version, "pk", None):
        message = "It belongs to another version."
        raise serializers.ValidationError(
            {name: serializers.ErrorDetail(message, code="of-another-version")}
        )


class AssessmentItemSerializer(QuestionSerializer[AssessmentItem]):
    """An item of an assessment version, with its key: for authors, never for learners."""

    class Meta:
        model = AssessmentItem
        fields = ["id", "version", "key", "position", *QUESTION_FIELDS, "rubric", "bank_item"]
        read_only_fields = ["id", "bank_item"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        _of_same_version(attrs, self.instance, "rubric")
        return super().validate(attrs)


class RubricSerializer(PartSerializer[Rubric]):
    class Meta:
        model = Rubric
        fields = ["id", "version", "key", "title", "description"]


class RubricCriterionSerializer(PartSerializer[RubricCriterion]):
    class Meta:
        model = RubricCriterion
        fields = ["id", "version", "rubric", "key", "title", "description", "position"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        _of_same_version(attrs, self.instance, "rubric")
        return attrs


class RubricLevelSerializer(PartSerializer[RubricLevel]):
    class Meta:
        model = RubricLevel
        fields = ["id", "version", "criterion", "key", "title", "description", "points", "position"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        _of_same_version(attrs, self.instance, "criterion")
        return attrs


class PlacementSerializer(StrictModelSerializer[AssessmentPlacement]):
    """Which assessment an item of a draft course stands for; the key is the item's."""

    class Meta:
        model = AssessmentPlacement
        fields = ["id", "version", "key", "module_item", "assessment_version"]
        read_only_fields = ["id", "version", "key"]
        # Placing an item again changes what it stands for.
        extra_kwargs: ClassVar[dict[str, dict[str, Any]]] = {"module_item": {"validators": []}}

    def validate_module_item(self, item: Any) -> Any:
        if self.instance is not None and item != self.instance.module_item:
            raise serializers.ValidationError("A placement stays at its item.", code="fixed")
        return item


class QuestionBankSerializer(StrictModelSerializer[QuestionBank]):
    class Meta:
        model = QuestionBank
        fields = ["id", "slug", "title", "description", "created_at"]
        read_only_fields = ["id", "created_at"]


class BankItemSerializer(QuestionSerializer[BankItem]):
    """A question of a bank; `source` tells which file and line it was imported from."""

    tags = serializers.ListField(
        child=serializers.CharField(max_length=255), max_length=100, default=list
    )

    class Meta:
        model = BankItem
        fields = [
            "id",
            "bank",
            "key",
            *QUESTION_FIELDS,
            "category",
            "tags",
            "difficulty",
            "source",
            "created_at",
            "archived_at",
        ]
        read_only_fields = ["id", "source", "created_at", "archived_at"]

    def validate_bank(self, bank: QuestionBank) -> QuestionBank:
        if self.instance is not None and bank != self.instance.bank:
            raise serializers.ValidationError("A question stays in its bank.", code="fixed")
        return bank


class FromBankSerializer(StrictSerializer):
    """Which questions of banks to copy to the end of a draft, in this order."""

    bank_items = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=1_000
    )


class CopiedSerializer(serializers.Serializer[Any]):
    """The draft, and its new items in their order."""

    id = serializers.UUIDField(help_text="The version.")
    items = AssessmentItemSerializer(many=True)
