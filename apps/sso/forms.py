"""Forms of the back office about signing in."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from apps.organizations.models import OrgMembership
from apps.sso.models import JOINING_ROLES

LARGEST_METADATA = 5 * 1024 * 1024


def check_address(url: str) -> str:
    """Return the address of a provider; only where private ones are allowed may it lack TLS."""
    schemes = ("https", "http") if settings.ALLOW_PRIVATE_ADDRESSES else ("https",)
    if urlsplit(url).scheme not in schemes or not urlsplit(url).hostname:
        raise forms.ValidationError(_("The address must begin with https://."), code="scheme")
    return url


class SamlForm(forms.Form):
    """The provider's metadata: an address, which is read again every few hours, or a file."""

    url = forms.CharField(
        label=_("Address of the metadata"),
        required=False,
        max_length=500,
        widget=forms.URLInput(attrs={"size": 60}),
        help_text=_("Read now and every six hours, so that new certificates are known in time."),
    )
    file = forms.FileField(
        label=_("Or the metadata as a file"),
        required=False,
        help_text=_("Without an address you bring the next one before the certificate ends."),
    )

    def clean_url(self) -> str:
        url = self.cleaned_data["url"].strip()
        return check_address(url) if url else ""

    def clean_file(self) -> bytes:
        file: UploadedFile[Any] | None = self.cleaned_data["file"]
        if not file:
            return b""
        if (file.size or 0) > LARGEST_METADATA:
            raise forms.ValidationError(_("The file is larger than 5 MB."), code="large")
        return bytes(file.read())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and bool(cleaned.get("url")) == bool(cleaned.get("file")):
            raise forms.ValidationError(_("Give an address or a file, one of them."), code="one")
        return cleaned


class OidcForm(forms.Form):
    """An OpenID provider and how we are known to it."""

    issuer = forms.CharField(
        label=_("Issuer"),
        max_length=500,
        widget=forms.URLInput(attrs={"size": 60}),
        help_text=_("As the provider writes it in its tokens, for example https://id.example.org."),
    )
    client_id = forms.CharField(label=_("Client ID"), max_length=300)
    client_secret = forms.CharField(
        label=_("Client secret"),
        required=False,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    believes_unverified_email = forms.BooleanField(
        label=_("The provider serves this organisation alone"),
        required=False,
        help_text=_(
            "Then its e-mail addresses are believed although it does not say that it verified "
            "them. Never tick this for a provider at which anybody can have an account."
        ),
    )

    def __init__(self, *args: Any, has_secret: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["client_secret"].required = not has_secret
        if has_secret:
            self.fields["client_secret"].help_text = _("Left empty, the one given before stays.")

    def clean_issuer(self) -> str:
        return check_address(self.cleaned_data["issuer"].strip())


class JoiningForm(forms.Form):
    """What happens to people whom the provider signs in for the first time."""

    provisions_members = forms.BooleanField(
        label=_("Make them members"),
        required=False,
        help_text=_("Else only who is a member or invited can sign in."),
    )
    joining_role = forms.ChoiceField(
        label=_("As"), choices=[(role.value, role.label) for role in JOINING_ROLES]
    )
    admins_make_tokens = forms.BooleanField(
        label=_("Owners and admins may make API tokens while single sign-on is enforced"),
        required=False,
        help_text=_("A token works without the identity provider, until it is revoked."),
    )


class DomainForm(forms.Form):
    domain = forms.CharField(
        label=_("Domain"),
        max_length=253,
        help_text=_("What stands behind the @ of your members' addresses, for example example.org"),
    )


class BreakGlassForm(forms.Form):
    """Which owner comes in by password when the identity provider fails."""

    break_glass = forms.ModelChoiceField(
        label=_("Owner for emergencies"),
        queryset=OrgMembership.objects.none(),
        empty_label=None,
        help_text=_("Comes in by password when the identity provider fails; every use is mailed."),
    )

    def __init__(self, *args: Any, owners: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["break_glass"]
        field.queryset = owners
        field.label_from_instance = lambda owner: owner.user.email


class EnforceForm(BreakGlassForm):
    """Closing every other door."""

    revokes_tokens = forms.BooleanField(
        label=_("Revoke the API tokens that members made"), required=False, initial=True
    )
    is_sure = forms.BooleanField(
        label=_("Close every other way in"),
        help_text=_("Everybody who came in another way is signed out, you too unless you came so."),
    )
