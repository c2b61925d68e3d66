"""What a dashboard looks at, and from where on learners are at risk, as somebody chose it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.cohorts.models import Cohort
from apps.programs.models import Program
from apps.reporting.models import RiskThresholds
from apps.reporting.risks import Thresholds
from apps.reporting.selectors.dashboards import Scope, cohorts_to_choose, programs_to_choose

DEFAULT_WINDOW: Final = 7
LONGEST_WINDOW: Final = 366


class ScopeForm(forms.Form):
    """Program, cohort and days; what is left empty is not looked at."""

    program = forms.ModelChoiceField(
        queryset=Program.objects.none(), required=False, label=_("Program"), empty_label=_("All")
    )
    cohort = forms.ModelChoiceField(
        queryset=Cohort.objects.none(), required=False, label=_("Cohort"), empty_label=_("All")
    )
    since = forms.DateField(
        required=False, label=_("From"), widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        required=False, label=_("Until"), widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(
        self,
        *args: Any,
        allowed: Collection[UUID] | None,
        without_days: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if without_days:
            del self.fields["since"], self.fields["until"]
        self.allowed = None if allowed is None else frozenset(allowed)
        choices: dict[str, Any] = {
            "program": programs_to_choose(allowed),
            "cohort": cohorts_to_choose(allowed),
        }
        for name, queryset in choices.items():
            field: Any = self.fields[name]
            field.queryset = queryset

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("This day is before the first one."))
        return cleaned

    @property
    def scope(self) -> Scope:
        """Return what was chosen, within what is allowed; of a valid form."""
        chosen = self.cleaned_data
        cohort, program = chosen["cohort"], chosen["program"]
        return Scope(
            cohorts=self.allowed if cohort is None else frozenset([cohort.pk]),
            program_id=None if program is None else program.pk,
            since=chosen.get("since"),
            until=chosen.get("until"),
        )


class ThresholdsForm(forms.ModelForm[RiskThresholds]):
    """From where on the learners of a cohort are at risk; an empty field switches its rule off."""

    class Meta:
        model = RiskThresholds
        fields = ("misses_left", "inactive_days", "failed_results", "overdue_days", "locked_days")
        labels: ClassVar[dict[str, Any]] = {
            "misses_left": _("Sessions that can still be missed, at most"),
            "inactive_days": _("Days without activity, at least"),
            "failed_results": _("Assessments not passed, at least"),
            "overdue_days": _("Days after a date that was missed, more than"),
            "locked_days": _("Days after the date of what is still locked, more than"),
        }
        help_texts: ClassVar[dict[str, Any]] = {
            "misses_left": _(
                "Counted once a session was missed. Empty: attendance puts nobody at risk."
            ),
            "inactive_days": _("Counted from the first day where there was none. Empty: never."),
            "failed_results": _("Final results of record. Empty: never."),
            "overdue_days": _("Assessments and requirements. Empty: never."),
            "locked_days": _("Empty: never."),
        }

    @property
    def thresholds(self) -> Thresholds:
        """Return what was entered; of a valid form."""
        return Thresholds(**self.cleaned_data)


class AiScopeForm(ScopeForm):
    """The same, and how long before an attempt tutoring counts."""

    window = forms.IntegerField(
        label=_("Tutoring counts for (days)"),
        required=False,
        min_value=1,
        max_value=LONGEST_WINDOW,
        initial=DEFAULT_WINDOW,
    )

    @property
    def time_before(self) -> timedelta:
        """Return the time before an attempt in which tutoring counts; of a valid form."""
        return timedelta(days=self.cleaned_data["window"] or DEFAULT_WINDOW)
