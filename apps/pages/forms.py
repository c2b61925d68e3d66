"""What people type into the pages."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import cache
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import (
    password_validators_help_text_html,
    validate_password,
)
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.assessment.questions.items import JsonValue
from apps.assessment.rules.responses import is_blank
from apps.assessment.selectors.attempts import AttemptPaper
from apps.assessment.services import Answer
from apps.assessment.vocabulary import Kind
from apps.contacts.capabilities import Capability
from apps.contacts.models import Contact
from apps.contacts.principal import Principal
from apps.pages.selectors.assessments import Question, questions

MAX_DIGITS = 16


class JoinForm(forms.Form):
    """Accepting an invitation with a new account: a name, unless it is known, and a password."""

    display_name = forms.CharField(
        label=_("Your name"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label=_("Password"),
        help_text=password_validators_help_text_html,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(
        self, *args: Any, email: str, needs_name: bool, needs_password: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.email = email
        if not needs_name:
            del self.fields["display_name"]
        if not needs_password:
            del self.fields["password"]

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, User(email=self.email))
        return password


@cache
def time_zones() -> list[tuple[str, Any]]:
    """Return the zones to choose from; the first is no choice."""
    return [
        ("", _("as each cohort has it")),
        *((name, name) for name in sorted(available_timezones())),
    ]


class ProfileForm(forms.ModelForm[Contact]):
    """How a person wants to be named and addressed in this organisation."""

    locale = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[("", _("as the browser asks")), *settings.LANGUAGES],
    )
    timezone = forms.ChoiceField(label=_("Time zone"), required=False, choices=time_zones)

    class Meta:
        model = Contact
        fields: ClassVar = ["display_name", "locale", "timezone"]
        labels: ClassVar = {"display_name": _("Name shown to others")}
        widgets: ClassVar = {"display_name": forms.TextInput(attrs={"autocomplete": "name"})}


class TokenForm(forms.Form):
    """A new API token, on behalf of oneself; staff can narrow what it may do."""

    name = forms.CharField(
        label=_("What is it for?"),
        max_length=100,
        help_text=_("For example the name of the program that will use it."),
    )
    expires_on = forms.DateField(
        label=_("Valid until"),
        required=False,
        help_text=_("The last day on which it works. Left empty, it works until it is revoked."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    scopes = forms.MultipleChoiceField(
        label=_("Only for"),
        required=False,
        help_text=_("Without a choice it may do everything that you may do."),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, principal: Principal, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at = at
        capabilities = [capability.value for capability in Capability if principal.has(capability)]
        if not capabilities:
            del self.fields["scopes"]
            return
        scopes: Any = self.fields["scopes"]
        scopes.choices = [(name, name.replace("_", " ")) for name in capabilities]

    def clean_expires_on(self) -> datetime | None:
        """Return the moment at which the last day is over, where the reader is."""
        day = self.cleaned_data["expires_on"]
        if day is None:
            return None
        if day < timezone.localdate(self.at):
            raise forms.ValidationError(_("This day is over."), code="past")
        return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def changed_answers(paper: AttemptPaper, data: QueryDict) -> list[Answer]:
    """Return the answers of a posted attempt page that differ from what the page was given.

    Each carries the sequence after the one its page knew, so that an answer that was saved from
    another window in the meantime stays.
    """
    return [
        Answer(question.item.id, value, _known_sequence(question, data) + 1)
        for question in questions(paper)
        if _differs(value := posted_value(question, data), question.value)
    ]


def _differs(posted: JsonValue, shown: JsonValue) -> bool:
    if isinstance(posted, list) and isinstance(shown, list):
        return set(map(str, posted)) != set(map(str, shown))
    return posted != (None if is_blank(shown) else shown)


def posted_value(question: Question, data: QueryDict) -> JsonValue:
    """Return what a posted page answers to a question; None: nothing."""
    if question.item.kind == Kind.MULTIPLE_RESPONSE:
        ticked: list[JsonValue] = [*data.getlist(question.name)]
        return ticked or None
    text = data.get(question.name, "")
    if question.item.kind == Kind.TRUE_FALSE:
        return {"true": True, "false": False}.get(text)
    return text.replace("\r\n", "\n") or None


def _known_sequence(question: Question, data: QueryDict) -> int:
    known = data.get(question.sequence_name, "")
    is_number = known.isascii() and known.isdigit() and len(known) < MAX_DIGITS
    return int(known) if is_number else question.item.sequence
