"""Forms of the back office about people."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.contacts.models import Contact
from apps.organizations.models import MembershipStatus, OrgRole


class InviteForm(forms.Form):
    email = forms.EmailField(label=_("E-mail address"), max_length=254)
    org_role = forms.ChoiceField(label=_("Role"), choices=OrgRole.choices, initial=OrgRole.LEARNER)


class MemberForm(forms.Form):
    org_role = forms.ChoiceField(label=_("Role"), choices=OrgRole.choices)
    status = forms.ChoiceField(
        label=_("Status"),
        choices=[
            (MembershipStatus.ACTIVE, _("active")),
            (MembershipStatus.DEACTIVATED, _("deactivated: signed out at once")),
        ],
    )


class MergeForm(forms.Form):
    """Which contact the one on the page is merged into."""

    into = forms.ModelChoiceField(
        label=_("Merge into"),
        queryset=Contact.objects.none(),
        help_text=_("History stays where it is and counts for that contact. It can't be undone."),
    )

    def __init__(self, *args: Any, source: Contact, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["into"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
        others = Contact.objects.filter(merged_into=None).exclude(pk=source.pk)
        field.queryset = others.order_by("display_name")
