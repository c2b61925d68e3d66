"""Forms of the back office about people."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.contacts.models import Contact
from apps.contacts.searching import Search, SearchedField
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


class PersonField(SearchedField):
    """A person among those found, told with what tells two of one name apart."""

    def label_from_instance(self, obj: Any) -> str:
        said = [obj.display_name, obj.external_id, *(one.value for one in obj.channels.all())]
        return " · ".join(filter(None, said))


class MergeForm(forms.Form):
    """Which contact the one on the page is merged into."""

    into = PersonField(
        label=_("Merge into"),
        queryset=Contact.objects.none(),
        help_text=_("History stays where it is and counts for that contact. It can't be undone."),
    )

    def __init__(self, *args: Any, search: Search, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        search.offer(self.fields["into"])
