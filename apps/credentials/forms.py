"""Forms of the back office about awards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.cohorts.models import CohortEnrollment
from apps.contacts.searching import Search, SearchedField
from apps.credentials.models import CertificationTemplate, CertificationTemplateVersion
from apps.credentials.vocabulary import HoldResolution

MEMBERS: Final = (
    "target_name",
    "target_url",
    "target_code",
    "target_framework",
    "target_description",
)
"""The members of an alignment, in the order in which a line of the form names them."""


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Kept on record with your name."),
    )


class FinalReasonForm(ReasonForm):
    """For what cannot be undone."""

    confirmed = forms.BooleanField(label=_("I know that this can't be undone"))


class RevokeKeyForm(FinalReasonForm):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "For a key that others may know. Every credential that it signed stops verifying and "
            "has to be issued again."
        ),
    )


class ResolveForm(ReasonForm):
    resolution = forms.ChoiceField(
        label=_("Decision"),
        choices=[
            (HoldResolution.RELEASED, _("Release: it may be awarded, or the award stands")),
            (HoldResolution.REFUSED, _("Refuse: there is no award")),
        ],
    )
    field_order = ("resolution", "reason")


class EnrollmentField(SearchedField):
    """An enrolment among those found: whose it is, and in which cohort."""

    def label_from_instance(self, obj: Any) -> str:
        contact = obj.contact
        who = " · ".join(filter(None, [contact.display_name, contact.external_id]))
        return f"{who} – {obj.cohort.title} ({obj.get_state_display()})"


class GrantForm(forms.Form):
    """Whom to award what; only enrolments that the person at work may see are found."""

    template = forms.ModelChoiceField(
        label=_("Award"), queryset=CertificationTemplate.objects.filter(archived_at=None)
    )
    enrollment = EnrollmentField(label=_("Learner"), queryset=CohortEnrollment.objects.none())
    reason = forms.CharField(
        label=_("Reason"),
        max_length=2_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, search: Search, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        search.offer(self.fields["enrollment"])


class TagsField(forms.CharField):
    """Words separated by commas."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [word.strip() for word in str(value or "").split(",") if word.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


class AlignmentsField(forms.CharField):
    """One alignment a line: its members in order, separated by bars."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 100})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(_line(entry) for entry in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = [line for line in str(value or "").splitlines() if line.strip()]
        return [_alignment(line) for line in lines]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


def _line(entry: Mapping[str, str]) -> str:
    return " | ".join(str(entry.get(member, "")) for member in MEMBERS).rstrip(" |")


def _alignment(line: str) -> dict[str, str]:
    parts = [part.strip() for part in line.split("|", maxsplit=len(MEMBERS) - 1)]
    return {member: part for member, part in zip(MEMBERS, parts, strict=False) if part}


class TemplateVersionForm(forms.ModelForm[CertificationTemplateVersion]):
    """What a credential says, in fields that people can fill in."""

    tags = TagsField(label=_("Tags"), required=False, help_text=_("Separated by commas."))
    alignments = AlignmentsField(
        label=_("Alignments"),
        required=False,
        help_text=_("One a line: name | address | code | framework | description"),
    )

    class Meta:
        model = CertificationTemplateVersion
        fields = "__all__"  # noqa: DJ007 - the admin decides which
        widgets: Mapping[str, forms.Widget] = {
            "badge_background": forms.TextInput(attrs={"type": "color"}),
            "badge_foreground": forms.TextInput(attrs={"type": "color"}),
        }
