"""A rubric on one page: its criteria, each with its levels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.assessment.questions.numbers import plain
from apps.assessment.rules.rubrics import CriterionSpec, LevelSpec, RubricSpec

MOST_CRITERIA, MOST_LEVELS = 50, 20
NEW_CRITERIA, NEW_LEVELS = 2, 3
"""How many empty rows a new rubric begins with."""


def _order() -> forms.IntegerField:
    return forms.IntegerField(
        label=gettext_lazy("Order"), required=False, min_value=0, max_value=30_000
    )


class RowForm(forms.Form):
    """A row that may be left empty, moved by its number, or taken out."""

    key = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)
    order = _order()
    remove = forms.BooleanField(label=gettext_lazy("Remove"), required=False)

    def is_kept(self) -> bool:
        """Whether it was filled in and is to stay; for a form that is valid."""
        said = self.cleaned_data
        filled = any(said.get(name) not in ("", None) for name in self.told)
        return filled and not self.is_removed()

    told: tuple[str, ...] = ("title", "description")

    def clean(self) -> dict[str, Any]:
        """Find no fault with a row that goes."""
        if self.is_removed():
            self.errors.clear()
        return self.cleaned_data

    def is_removed(self) -> bool:
        return bool(self.cleaned_data.get("remove"))

    def in_order(self) -> tuple[bool, int]:
        order = self.cleaned_data.get("order")
        return (order is None, order or 0)


class LevelForm(RowForm):
    title = forms.CharField(label=gettext_lazy("Level"), required=False, max_length=200)
    points = forms.DecimalField(
        label=gettext_lazy("Points"),
        required=False,
        min_value=Decimal(0),
        max_digits=9,
        decimal_places=4,
    )
    description = forms.CharField(
        label=gettext_lazy("What it means"),
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 40}),
    )

    field_order = ("key", "title", "points", "description", "order", "remove")
    told = ("title", "points", "description")

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        if self.is_kept():
            if not said.get("title") and "title" not in self.errors:
                self.add_error("title", _("Name the level."))
            if said.get("points") is None and "points" not in self.errors:
                self.add_error("points", _("Say how many points it is worth."))
        return said

    def as_spec(self) -> LevelSpec:
        said = self.cleaned_data
        return LevelSpec(said["key"], said["title"], said["points"], said["description"])


class CriterionForm(RowForm):
    title = forms.CharField(label=gettext_lazy("Criterion"), required=False, max_length=200)
    description = forms.CharField(
        label=gettext_lazy("What it looks at"),
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
    )

    field_order = ("key", "title", "description", "order", "remove")


class RubricForm(forms.Form):
    title = forms.CharField(label=gettext_lazy("Title"), max_length=200)
    description = forms.CharField(
        label=gettext_lazy("For graders"),
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
    )
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


class RowFormSet(forms.BaseFormSet[Any]):
    """Rows as they were sent: empty ones are no fault."""

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return {**super().get_form_kwargs(index), "empty_permitted": True}


CriterionFormSet = forms.formset_factory(
    CriterionForm,
    formset=RowFormSet,
    extra=0,
    max_num=MOST_CRITERIA,
    absolute_max=MOST_CRITERIA,
    validate_max=True,
)
LevelFormSet = forms.formset_factory(
    LevelForm,
    formset=RowFormSet,
    extra=0,
    max_num=MOST_LEVELS,
    absolute_max=MOST_LEVELS,
    validate_max=True,
)


@dataclass(frozen=True)
class CriterionPart:
    """One criterion on the page, with its levels."""

    form: Any
    levels: Any

    def is_valid(self) -> bool:
        """Whether criterion and levels can be saved; levels need a criterion with a title."""
        if self.form.is_valid() and self.form.is_removed():
            return True
        if not all([self.form.is_valid(), self.levels.is_valid()]):
            return False
        is_used = self.form.is_kept() or any(self.kept_levels())
        if is_used and not self.form.cleaned_data.get("title"):
            self.form.add_error("title", _("Name the criterion."))
            return False
        return True

    def is_kept(self) -> bool:
        return bool(self.form.is_kept())

    def kept_levels(self) -> Iterator[LevelForm]:
        kept = (form for form in self.levels.forms if form.is_kept())
        yield from sorted(kept, key=LevelForm.in_order)

    def as_spec(self) -> CriterionSpec:
        said = self.form.cleaned_data
        return CriterionSpec(
            key=said["key"],
            title=said["title"],
            description=said["description"],
            levels=tuple(level.as_spec() for level in self.kept_levels()),
        )


class RubricEditor:
    """The whole page: what was sent, or what the rubric says now, or rows to begin with."""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        rubric: RubricSpec | None,
        seen: str = "",
        entered: dict[str, Any] | None = None,
    ) -> None:
        self.is_bound = data is not None
        self.rubric = rubric
        shown = entered if entered is not None else _shown(rubric, seen)
        self.head = RubricForm(data, prefix="rubric", initial=shown)
        rows: list[dict[str, Any]] = shown["criteria"]
        self.criteria = CriterionFormSet(
            data, prefix="criteria", initial=rows if data is None else None
        )
        self.parts = [
            CriterionPart(
                form,
                LevelFormSet(
                    data,
                    prefix=f"criteria-{number}-levels",
                    initial=rows[number]["levels"] if data is None else None,
                ),
            )
            for number, form in enumerate(self.criteria.forms)
        ]

    @classmethod
    def with_more_rows(
        cls, data: Mapping[str, Any], *, rubric: RubricSpec | None
    ) -> RubricEditor | None:
        """Return the page as it was sent with one more row, where `more` asks for one; else None.

        `more` names what there is to be more of: `criteria`, or `criteria-2-levels`. Nothing is
        found fault with: the author is not done yet.
        """
        wanted = data.get("more")
        if not wanted:
            return None
        entered = _entered(data)
        rows: list[dict[str, Any]] = entered["criteria"]
        if wanted == "criteria":
            rows[:] = [*rows, {"levels": [{}] * NEW_LEVELS}][:MOST_CRITERIA]
        for number, row in enumerate(rows):
            if wanted == f"criteria-{number}-levels":
                row["levels"] = [*row["levels"], {}][:MOST_LEVELS]
        return cls(rubric=rubric, entered=entered)

    def is_valid(self) -> bool:
        sound = [self.head.is_valid(), self.criteria.is_valid()]
        return all([*sound, *[part.is_valid() for part in self.parts]])

    def as_spec(self) -> RubricSpec:
        """Return what was entered, in the order that the author gave it."""
        kept = sorted(
            (part for part in self.parts if part.is_kept()), key=lambda part: part.form.in_order()
        )
        return RubricSpec(
            key=self.rubric.key if self.rubric else "",
            title=self.head.cleaned_data["title"],
            description=self.head.cleaned_data["description"],
            criteria=tuple(part.as_spec() for part in kept),
        )

    @property
    def seen(self) -> str:
        """The state of the rubric that the author had before them."""
        return str(self.head.cleaned_data["seen"])

    @property
    def blank(self) -> CriterionPart:
        """The rows that a script copies for one more criterion; its numbers are filled in there."""
        return CriterionPart(
            CriterionForm(prefix="criteria-__c__"),
            LevelFormSet(prefix="criteria-__c__-levels", initial=[{}] * NEW_LEVELS),
        )

    @property
    def blank_level(self) -> LevelForm:
        """The row that a script copies for one more level."""
        return LevelForm(prefix="criteria-__c__-levels-__l__")


def _shown(rubric: RubricSpec | None, seen: str) -> dict[str, Any]:
    """Return what the page shows of a rubric, or empty rows for a new one."""
    if rubric is None:
        blank: dict[str, Any] = {"levels": [{}] * NEW_LEVELS}
        return {"criteria": [blank] * NEW_CRITERIA}
    return {
        "title": rubric.title,
        "description": rubric.description,
        "seen": seen,
        "criteria": [
            {
                "key": criterion.key,
                "title": criterion.title,
                "description": criterion.description,
                "order": number,
                "levels": [
                    {
                        "key": level.key,
                        "title": level.title,
                        "points": plain(level.points),
                        "description": level.description,
                        "order": place,
                    }
                    for place, level in enumerate(criterion.levels, start=1)
                ],
            }
            for number, criterion in enumerate(rubric.criteria, start=1)
        ],
    }


def _entered(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was sent, as the page shows it, right or wrong."""
    head = {name: data.get(f"rubric-{name}", "") for name in RubricForm.base_fields}
    return {
        **head,
        "criteria": [
            {
                **_fields(CriterionForm, data, prefix),
                "levels": [
                    _fields(LevelForm, data, f"{prefix}-levels-{place}")
                    for place in range(_count(data, f"{prefix}-levels", MOST_LEVELS))
                ],
            }
            for prefix in (
                f"criteria-{number}" for number in range(_count(data, "criteria", MOST_CRITERIA))
            )
        ],
    }


def _fields(form: type[RowForm], data: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name: data.get(f"{prefix}-{name}", "") for name in form.base_fields}


def _count(data: Mapping[str, Any], prefix: str, most: int) -> int:
    sent = str(data.get(f"{prefix}-TOTAL_FORMS", ""))
    return min(int(sent), most) if sent.isdecimal() and len(sent) < 5 else 0
