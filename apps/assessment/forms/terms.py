"""Windows of cohorts, accommodations, and other forms of one service each."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.assessment.models import (
    Accommodation,
    AssessmentPlacement,
    AssessmentTemplate,
    AssessmentVersion,
    AssessmentWindow,
)
from apps.assessment.rules.policy import WindowTerms
from apps.cohorts.models import Cohort
from apps.contacts.models import Contact
from apps.core.models import VersionStatus
from apps.programs.models import ItemType, ModuleItem

LOCAL = "%Y-%m-%dT%H:%M"
TIMES = ("opens_at", "due_at", "closes_at")


class LocalTimeField(forms.DateTimeField):
    """A time on the wall clock of the cohort; which zone that is, the form decides."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL)
        super().__init__(required=False, widget=widget, **kwargs)


class WindowTermsForm(forms.Form):
    """When a cohort may take an assessment. Empty is what the version says."""

    opens_at = LocalTimeField(label=_("Opens"))
    due_at = LocalTimeField(label=_("Due"))
    closes_at = LocalTimeField(label=_("Closes"))
    attempts_allowed = forms.IntegerField(
        label=_("Attempts"), required=False, min_value=1, max_value=32_767
    )
    time_limit_seconds = forms.IntegerField(
        label=_("Time limit, in seconds"), required=False, min_value=1, max_value=2**31 - 1
    )

    def __init__(self, *args: Any, window: AssessmentWindow | None = None, **kwargs: Any) -> None:
        self.window = window
        if window is not None:
            kwargs["initial"] = {name: getattr(window, name) for name in self.base_fields}
            kwargs["initial"] |= {
                name: _wall_clock(getattr(window, name), window.cohort.timezone) for name in TIMES
            }
        super().__init__(*args, **kwargs)

    def terms(self) -> WindowTerms:
        """Return what was entered, its times as moments."""
        entered = {name: self.cleaned_data[name] for name in WindowTermsForm.base_fields}
        cohort: Cohort = self.window.cohort if self.window else self.cleaned_data["cohort"]
        for name in TIMES:
            if entered[name] is not None:
                entered[name] = entered[name].replace(tzinfo=ZoneInfo(cohort.timezone))
        return WindowTerms(**entered)


class WindowForm(WindowTermsForm):
    """A new window; its times are those of the cohort's zone."""

    cohort = forms.ModelChoiceField(Cohort.objects.none(), label=_("Cohort"))
    template = forms.ModelChoiceField(AssessmentTemplate.objects.all(), label=_("Assessment"))

    field_order = ("cohort", "template", *WindowTermsForm.base_fields)

    def __init__(self, *args: Any, cohorts: QuerySet[Cohort], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["cohort"]
        field.queryset = cohorts


def _wall_clock(moment: datetime | None, zone: str) -> datetime | None:
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) if moment else None


class AccommodationForm(forms.ModelForm[Accommodation]):
    """More time, more attempts, or both."""

    class Meta:
        model = Accommodation
        fields = ("contact", "template", "time_multiplier", "extra_attempts", "reason")
        help_texts = {
            "template": _("Empty: for every assessment."),
            "time_multiplier": _("1.5 is half as much time again."),
        }

    def __init__(self, *args: Any, learners: QuerySet[Contact], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["contact"]
        field.queryset = learners

    def _post_clean(self) -> None:
        """Nothing: the service checks, and says everything that is wrong."""


class PlacementForm(forms.Form):
    """Which assessment an item of a draft course stands for."""

    module_item = forms.ModelChoiceField(
        ModuleItem.objects.filter(
            type=ItemType.ASSESSMENT, version__status=VersionStatus.DRAFT
        ).select_related("version__definition"),
        label=_("Item of a draft course"),
    )
    assessment_version = forms.ModelChoiceField(
        AssessmentVersion.objects.filter(status=VersionStatus.PUBLISHED).select_related(
            "definition"
        ),
        label=_("Assessment"),
    )

    def __init__(
        self, *args: Any, placement: AssessmentPlacement | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        item: Any = self.fields["module_item"]
        item.label_from_instance = _item_label
        if placement is not None:
            item.queryset = item.queryset.filter(pk=placement.module_item_id)
            item.initial = placement.module_item_id
            self.fields["assessment_version"].initial = placement.assessment_version_id


def _item_label(item: ModuleItem) -> str:
    return f"{item.version.definition} · {item.title}"


class ReasonForm(forms.Form):
    """Why something is done that others will ask about."""

    reason = forms.CharField(
        label=_("Reason"), max_length=2_000, widget=forms.Textarea(attrs={"rows": 3})
    )


class DecisionForm(forms.Form):
    """Whether learners see results."""

    is_released = forms.TypedChoiceField(
        label=_("Learners"),
        choices=[("yes", _("see the results")), ("no", _("do not see the results"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class CohortDecisionForm(DecisionForm):
    """A decision about a cohort's results of one assessment."""

    cohort = forms.ModelChoiceField(Cohort.objects.none(), label=_("Cohort"))
    template = forms.ModelChoiceField(AssessmentTemplate.objects.all(), label=_("Assessment"))

    field_order = ("cohort", "template", "is_released", "reason")

    def __init__(self, *args: Any, cohorts: QuerySet[Cohort], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["cohort"]
        field.queryset = cohorts
