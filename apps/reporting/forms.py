"""What a dashboard looks at, as somebody chose it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.cohorts.models import Cohort
from apps.programs.models import Program
from apps.reporting.selectors.dashboards import Scope, cohorts_to_choose, programs_to_choose


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

    def __init__(self, *args: Any, allowed: Collection[UUID] | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
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
            since=chosen["since"],
            until=chosen["until"],
        )
