"""Forms of the back office about shops and their orders."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.cohorts.models import Cohort, CohortStatus
from apps.commerce.models import Sellable

OVERLAPS: dict[str, tuple[timedelta, Any]] = {
    "day": (timedelta(days=1), _("a day")),
    "week": (timedelta(days=7), _("a week")),
    "none": (timedelta(0), _("not at all: it may be known to others")),
}


class CodesField(forms.CharField):
    """Codes, set apart by commas or spaces."""

    def to_python(self, value: Any) -> Any:
        return str(value or "").replace(",", " ").split()

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value


class SourceChangeForm(forms.Form):
    """What may change about a shop."""

    title = forms.CharField(label=_("Name"), max_length=200)
    currencies = CodesField(
        label=_("Currencies"),
        required=False,
        help_text=_("Codes of ISO 4217, such as EUR, CHF. None: it may sell in any."),
    )


class SourceForm(SourceChangeForm):
    """A new shop."""

    slug = forms.SlugField(
        label=_("Short name"), max_length=100, help_text=_("For addresses; it never changes.")
    )
    field_order = ("title", "slug", "currencies")


class RotateForm(forms.Form):
    """How long the old secret goes on working."""

    overlap = forms.ChoiceField(
        label=_("The old secret goes on working for"),
        choices=[(key, label) for key, (_length, label) in OVERLAPS.items()],
        initial="day",
        widget=forms.RadioSelect,
    )

    def clean_overlap(self) -> timedelta:
        return OVERLAPS[self.cleaned_data["overlap"]][0]


class DismissForm(forms.Form):
    because = forms.CharField(
        label=_("Why nothing follows from this line"),
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For instance: paid back by hand; enrolled by hand in another cohort."),
    )


class SellableForm(forms.ModelForm[Sellable]):
    """What an SKU means; the service checks that it is exactly one thing."""

    class Meta:
        model = Sellable
        fields = ["source", "sku", "title", "program", "cohort", "course"]
        help_texts = {
            "sku": _("As the shop has it."),
            "program": _("Choose one of the three. A program leads to its next open cohort."),
            "cohort": _("Leads to this cohort."),
            "course": _("Leads to the course's open self-paced cohort."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "source" in self.fields and not self.instance._state.adding:
            self.fields["source"].disabled = True
        field = self.fields.get("cohort")
        if isinstance(field, forms.ModelChoiceField):
            over = (CohortStatus.ENDED, CohortStatus.CANCELLED)
            offered = Cohort.objects.exclude(status__in=over)
            if self.instance.cohort_id is not None:
                offered |= Cohort.objects.filter(pk=self.instance.cohort_id)
            field.queryset = offered.order_by("title")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        chosen = [name for name in ("program", "cohort", "course") if cleaned.get(name)]
        if len(chosen) != 1:
            raise forms.ValidationError(
                _("Choose exactly one of program, cohort and course."), code="exactly-one"
            )
        return cleaned
