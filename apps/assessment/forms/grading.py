"""A grade as a person gives it: points, or a level for every criterion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from apps.assessment.questions.numbers import plain
from apps.assessment.rules.rubrics import CriterionSpec, LevelChoice
from apps.assessment.selectors.grading import GradingSheet
from apps.assessment.vocabulary import AUTOMATIC_KINDS


@dataclass(frozen=True)
class CriterionFields:
    """One criterion of the rubric with the two fields about it."""

    spec: CriterionSpec
    level: BoundField
    comment: BoundField


class GradeForm(forms.Form):
    """The grade of one answer. `expected_revision` is what the grader saw when they opened it."""

    expected_revision = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, sheet: GradingSheet) -> None:
        super().__init__(data, initial={"expected_revision": sheet.revision})
        self.sheet = sheet
        if sheet.rubric is None:
            self.fields["score"] = forms.DecimalField(
                label=_("Points"), min_value=0, max_value=sheet.item.points
            )
        else:
            for number, criterion in enumerate(sheet.rubric.criteria):
                self._add_criterion(number, criterion)
        self.fields["feedback"] = forms.CharField(
            label=_("Comment for the learner"),
            required=False,
            max_length=20_000,
            widget=forms.Textarea(attrs={"rows": 5}),
        )
        if self.was_graded_by_a_person:
            self.fields["reason"] = forms.CharField(
                label=_("Why the grade is changed"), max_length=2_000
            )

    @property
    def was_graded_by_a_person(self) -> bool:
        return any(event.kind not in AUTOMATIC_KINDS for event in self.sheet.events)

    def _add_criterion(self, number: int, criterion: CriterionSpec) -> None:
        self.fields[f"level-{number}"] = forms.ChoiceField(
            label=criterion.title,
            choices=[
                (level.key, f"{level.title} ({plain(level.points)})") for level in criterion.levels
            ],
            widget=forms.RadioSelect,
        )
        self.fields[f"comment-{number}"] = forms.CharField(
            label=_("Comment"), required=False, max_length=20_000
        )

    def criteria(self) -> Iterator[CriterionFields]:
        """Yield the fields of each criterion, in the rubric's order."""
        if self.sheet.rubric is not None:
            for number, criterion in enumerate(self.sheet.rubric.criteria):
                yield CriterionFields(criterion, self[f"level-{number}"], self[f"comment-{number}"])

    def choices(self) -> dict[str, LevelChoice]:
        """Return what was chosen: criterion -> level and comment."""
        if self.sheet.rubric is None:
            return {}
        return {
            criterion.key: LevelChoice(
                self.cleaned_data[f"level-{number}"], self.cleaned_data[f"comment-{number}"]
            )
            for number, criterion in enumerate(self.sheet.rubric.criteria)
        }
