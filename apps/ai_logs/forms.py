"""Forms of the back office about AI conversations."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.ai_logs.models import AiSafetyReview
from apps.ai_logs.models.policies import LONGEST_DAYS
from apps.ai_logs.rules.budgets import DEFAULT_ALERT_PERCENT, Standing, next_month
from apps.ai_logs.selectors.retention import due_sessions
from apps.ai_logs.selectors.safety import reviewers
from apps.ai_logs.services.prices import PriceTerms
from apps.ai_logs.vocabulary import ErasureReason, ReviewDecision, TokenType
from apps.contacts.models import Contact
from apps.core.clock import now

DAY = forms.DateInput(attrs={"type": "date"})


class EraseForm(forms.Form):
    """Why what was said is destroyed."""

    reason = forms.ChoiceField(
        label=_("Who asked for it"),
        choices=[
            (ErasureReason.LEARNER_REQUEST, _("The learner")),
            (ErasureReason.ORGANIZATION, _("The organisation")),
        ],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=_("Why"),
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Kept with the record of the erasure, for good."),
    )
    is_sure = forms.BooleanField(
        label=_("I know that nobody can bring the texts back"),
        error_messages={"required": _("Say that you know: there is no way back.")},
    )


class PriceForm(forms.Form):
    """A price that is entered by hand."""

    provider = forms.CharField(
        label=_("Provider"), max_length=100, help_text=_("As programs call it, such as openai.")
    )
    model = forms.CharField(
        label=_("Model"), max_length=200, help_text=_("As answers name it, such as gpt-4o-mini.")
    )
    token_type = forms.ChoiceField(label=_("Price of"), choices=TokenType.choices)
    valid_from = forms.DateField(
        label=_("From"), widget=DAY, help_text=_("The first day (UTC) on which it holds.")
    )
    per_million = forms.DecimalField(
        label=_("Price of a million"),
        min_value=Decimal(0),
        max_digits=20,
        decimal_places=12,
        help_text=_("Of a million tokens, or requests."),
    )
    currency = forms.RegexField(
        r"^[A-Z]{3}$",
        label=_("Currency"),
        initial="USD",
        help_text=_("The code of ISO 4217. Budgets and reports count US dollars."),
    )
    service_tier = forms.CharField(
        label=_("Service tier"), max_length=50, required=False, help_text=_("Empty: the usual one.")
    )
    above_input_tokens = forms.IntegerField(
        label=_("For inputs of more than"),
        min_value=0,
        max_value=2_000_000_000,
        initial=0,
        required=False,
        help_text=_("Tokens; 0: whatever the length."),
    )

    @property
    def terms(self) -> PriceTerms:
        """Return the price; of a valid form."""
        said: dict[str, Any] = {**self.cleaned_data}
        said["above_input_tokens"] = said["above_input_tokens"] or 0
        return PriceTerms(**said)


class RetentionForm(forms.Form):
    """For how long what was said is kept."""

    days = forms.IntegerField(
        label=_("Days"),
        min_value=1,
        max_value=LONGEST_DAYS,
        required=False,
        help_text=_(
            "Counted from a session's last message. Empty: texts stay until somebody erases them."
        ),
    )
    is_sure = forms.BooleanField(
        label=_("I know that nobody can bring the texts back"), required=False
    )

    def clean(self) -> dict[str, Any]:
        """Ask once more where this destroys something that is there now."""
        cleaned: dict[str, Any] = super().clean() or {}
        days = cleaned.get("days")
        if days is None or cleaned.get("is_sure") or self.errors:
            return cleaned
        count = due_sessions(now() - timedelta(days=days)).count()
        if count:
            said = ngettext(
                "The texts of %(count)d conversation are older and will be destroyed within the "
                "hour: say that you know.",
                "The texts of %(count)d conversations are older and will be destroyed within the "
                "hour: say that you know.",
                count,
            )
            self.add_error("is_sure", said % {"count": count})
        return cleaned


class AssignForm(forms.Form):
    """In whose hands a case is."""

    assignee = forms.ModelChoiceField(
        queryset=Contact.objects.none(),
        label=_("Who looks at it"),
        required=False,
        empty_label=_("Nobody yet"),
    )

    def __init__(self, *args: Any, review: AiSafetyReview, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["assignee"]
        field.initial = review.assignee_id
        field.queryset = reviewers(review)


class DecideForm(forms.Form):
    """What became of a flagged message."""

    decision = forms.ChoiceField(
        label=_("What it is"),
        choices=[
            (ReviewDecision.HARMLESS, _("Harmless: nothing follows")),
            (ReviewDecision.CONFIRMED, _("Confirmed: it should not have been said")),
            (ReviewDecision.ESCALATED, _("Escalated: somebody else has to act")),
        ],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=_("Why, and what follows"),
        max_length=4_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The decision is final, and stays with your name."),
    )


class BudgetForm(forms.Form):
    """What the organisation itself wants to spend."""

    month = forms.TypedChoiceField(label=_("From"), coerce=date.fromisoformat)
    amount = forms.DecimalField(
        label=_("US dollars a month"),
        min_value=Decimal(0),
        max_digits=14,
        decimal_places=2,
        required=False,
        help_text=_("Empty: only the plan limits."),
    )
    alert_percent = forms.DecimalField(
        label=_("Mail to administrators at"),
        min_value=Decimal(1),
        max_value=Decimal(100),
        max_digits=5,
        decimal_places=2,
        help_text=_("Percent of what may be spent; one mail a month."),
    )
    is_hard_stop = forms.BooleanField(
        label=_("Refuse new conversations and messages when it is spent"), required=False
    )

    def __init__(self, *args: Any, found: Standing, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        months = (found.month, next_month(found.month))
        field: Any = self.fields["month"]
        field.choices = [(one.isoformat(), f"{one:%Y-%m}") for one in months]
        own = found.own
        self.fields["amount"].initial = own.amount if own else None
        self.fields["alert_percent"].initial = own.alert_percent if own else DEFAULT_ALERT_PERCENT
        self.fields["is_hard_stop"].initial = own.is_hard_stop if own else False
