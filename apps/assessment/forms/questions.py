"""A question without its key, as authors edit it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from apps.assessment.models import AssessmentItem, BankItem, QuestionBank
from apps.assessment.questions.items import RULES_OF_KIND
from apps.assessment.vocabulary import GradedBy, Kind, Rule
from apps.contacts.admin_base import VersionPartForm

PROMPT = forms.Textarea(attrs={"rows": 6, "cols": 90})


class KeyToldElsewhere(forms.BaseModelForm[Any]):
    """A form of a question without its answer key: what is wrong with that has its own place."""

    def add_error(self, field: str | None, error: Any) -> None:
        faults = getattr(error, "error_dict", None)
        if field is None and faults is not None:
            faults = {name: told for name, told in faults.items() if name != "key_data"}
            if not faults:
                return
            error = ValidationError(faults)
        super().add_error(field, error)


class QuestionForm(KeyToldElsewhere, forms.ModelForm[Any]):
    """What all kinds of question have; the rules and graders are those of its kind."""

    def __init__(self, *args: Any, kind: str, disabled: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rules, graders = RULES_OF_KIND[kind], _graders(kind)
        self.fields["scoring_rule"] = forms.ChoiceField(
            label=_("Scored by"),
            choices=[(rule, Rule(rule).label) for rule in rules],
            initial=rules[0],
        )
        self.fields["graded_by"] = forms.ChoiceField(
            label=_("Graded by"), choices=[(g.value, g.label) for g in graders], initial=graders[0]
        )
        self.fields["key"].required = False
        for field in self.fields.values():
            field.disabled = disabled

    def clean_key(self) -> str:
        """Return the key, or one made from the title."""
        key: str = self.cleaned_data.get("key") or ""
        return key or slugify(self.data.get(self.add_prefix("title"), ""))[:100] or "question"


def _graders(kind: str) -> list[GradedBy]:
    return [GradedBy.PERSON] if kind == Kind.ESSAY else [GradedBy.ENGINE, GradedBy.PERSON]


class ItemForm(QuestionForm):
    """A question of a draft."""

    class Meta:
        model = AssessmentItem
        fields = (
            "position",
            "title",
            "key",
            "prompt_markdown",
            "points",
            "scoring_rule",
            "graded_by",
            "rubric",
            "feedback_markdown",
        )
        widgets = {"prompt_markdown": PROMPT}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rubric: Any = self.fields["rubric"]
        rubric.queryset = rubric.queryset.filter(version_id=self.instance.version_id)


class BankItemForm(QuestionForm):
    """A question of a bank."""

    tags = forms.CharField(
        label=_("Tags"), required=False, help_text=_("Separated by commas."), max_length=1_000
    )

    class Meta:
        model = BankItem
        fields = (
            "title",
            "key",
            "prompt_markdown",
            "points",
            "scoring_rule",
            "graded_by",
            "feedback_markdown",
            "category",
            "tags",
            "difficulty",
        )
        widgets = {"prompt_markdown": PROMPT}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["tags"] = ", ".join(map(str, self.instance.tags))

    def clean_tags(self) -> list[str]:
        parts = (part.strip() for part in self.cleaned_data["tags"].split(","))
        return list(dict.fromkeys(part for part in parts if part))


class ItemRowForm(KeyToldElsewhere, VersionPartForm):
    """A question's line in its draft's table; the page of the question has the rest."""

    class Meta:
        model = AssessmentItem
        fields = ("position", "title", "key", "points", "rubric")


class NewQuestionForm(forms.Form):
    """What has to be known before the page of a new question can be shown."""

    bank = forms.ModelChoiceField(
        label=_("Bank"),
        queryset=QuestionBank.objects.order_by("title"),
        help_text=_("Questions live in banks; without one, add a bank first."),
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=Kind.choices)
