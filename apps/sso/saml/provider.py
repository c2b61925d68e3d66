"""django-allauth's SAML provider, with our stricter reading and one address for each host."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.providers.saml.provider import SAMLProvider
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from apps.core.clock import now
from apps.sso.models import SsoConnection
from apps.sso.problems import NoSubject, ProviderUnreachable
from apps.sso.rules import TRANSIENT, Asserted
from apps.sso.saml.metadata import MetadataUnusable
from apps.sso.saml.toolkit import Assertion, begin
from apps.sso.selectors import provider_metadata, service_provider

_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
# As the common identity providers call them, beside what django-allauth knows.
ATTRIBUTES = {
    "uid": ["urn:oasis:names:tc:SAML:attribute:subject-id"],
    "email": [
        "urn:oid:0.9.2342.19200300.100.1.3",
        f"{_CLAIMS}/emailaddress",
        "email",
        "mail",
        "emailAddress",
        "Email",
    ],
    "email_verified": ["http://schemas.auth0.com/email_verified", "email_verified"],
    "name": [
        "urn:oid:2.16.840.1.113730.3.1.241",
        "http://schemas.microsoft.com/identity/claims/displayname",
        "displayName",
        "name",
        "cn",
        "urn:oid:2.5.4.3",
    ],
    "first_name": [f"{_CLAIMS}/givenname", "urn:oid:2.5.4.42", "givenName", "firstName"],
    "last_name": [f"{_CLAIMS}/surname", "urn:oid:2.5.4.4", "sn", "surname", "lastName"],
}


class OrganizationSamlProvider(SAMLProvider):  # type: ignore[misc]
    """The SAML provider of the organisation in force; `app.connection` is its row."""

    def redirect(
        self,
        request: HttpRequest,
        process: str,
        next_url: str | None = None,
        data: Any = None,
        **kwargs: Any,
    ) -> HttpResponse:
        """Send the browser to the provider with a signed request, and remember that one."""
        row: SsoConnection = self.app.connection
        try:
            metadata = provider_metadata(row, at=now())
        except MetadataUnusable as error:
            raise ProviderUnreachable(why=str(error)) from error
        url, request_id = begin(service_provider(row), metadata)
        self.stash_redirect_state(request, process, next_url, data, state_id=request_id, **kwargs)
        return HttpResponseRedirect(url)

    def sociallogin_from_response(self, request: HttpRequest, response: Assertion) -> Any:
        """Return the sign-in with what was asserted and the assertion that may be used once.

        Raises NoSubject for a name that is another one at the next sign-in.
        """
        fields = self._extract(response)
        if response.name_id_format == TRANSIENT and not fields.get("uid"):
            raise NoSubject(why="the NameID is transient and there is no subject-id")
        asserted = Asserted(
            provider_id=self.sub_id,
            subject=fields.get("uid") or response.name_id,
            email=fields.get("email") or "",
            display_name=display_name(fields),
            is_email_verified=fields.get("email_verified"),
            is_saml=True,
        )
        if not asserted.subject:
            raise NoSubject(why="there is neither a NameID nor a subject-id")
        login = super().sociallogin_from_response(request, response)
        login.asserted, login.assertion = asserted, response
        return login


def display_name(fields: dict[str, Any]) -> str:
    """Return the name by which the provider knows the person, or ""."""
    parts = (fields.get("first_name") or "", fields.get("last_name") or "")
    return fields.get("name") or " ".join(filter(None, parts))
