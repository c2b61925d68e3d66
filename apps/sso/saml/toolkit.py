"""python3-saml as we use it: always strict, and stricter where the toolkit lets things pass.

The toolkit compares Destination by its beginning and Recipient as a substring, and accepts an
assertion without an audience or an answer to no request. `read_response` does not.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as BinasciiError
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import xmlsec
from lxml import etree
from onelogin.saml2.auth import OneLogin_Saml2_Auth as Auth
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Constants
from onelogin.saml2.errors import OneLogin_Saml2_Error as ToolkitError
from onelogin.saml2.errors import OneLogin_Saml2_ValidationError as Refusal
from onelogin.saml2.response import OneLogin_Saml2_Response as Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings as Settings

from apps.sso.problems import (
    AnswerUnreadable,
    AssertionExpired,
    NotAsked,
    NotSigned,
    ProviderRefused,
    SignInRefused,
    WrongAudience,
    WrongProvider,
    WrongSignature,
)
from apps.sso.saml.metadata import ProviderMetadata

LARGEST_RESPONSE = 512 * 1024  # characters of base64
_ASSERTION = "/samlp:Response/saml:Assertion"
_NAMES = {"samlp": Constants.NS_SAMLP, "saml": Constants.NS_SAML}

_REFUSALS: dict[int, type[SignInRefused]] = {
    Refusal.STATUS_CODE_IS_NOT_SUCCESS: ProviderRefused,
    Refusal.WRONG_INRESPONSETO: NotAsked,
    Refusal.ASSERTION_TOO_EARLY: AssertionExpired,
    Refusal.ASSERTION_EXPIRED: AssertionExpired,
    Refusal.SESSION_EXPIRED: AssertionExpired,
    Refusal.RESPONSE_EXPIRED: AssertionExpired,
    Refusal.WRONG_DESTINATION: WrongAudience,
    Refusal.EMPTY_DESTINATION: WrongAudience,
    Refusal.WRONG_AUDIENCE: WrongAudience,
    Refusal.SP_NAME_QUALIFIER_NAME_MISMATCH: WrongAudience,
    Refusal.WRONG_SUBJECTCONFIRMATION: WrongAudience,
    Refusal.WRONG_ISSUER: WrongProvider,
    Refusal.NO_SIGNED_MESSAGE: NotSigned,
    Refusal.NO_SIGNED_ASSERTION: NotSigned,
    Refusal.NO_SIGNATURE_FOUND: NotSigned,
    Refusal.INVALID_SIGNATURE: WrongSignature,
    Refusal.WRONG_SIGNED_ELEMENT: WrongSignature,
    Refusal.ID_NOT_FOUND_IN_SIGNED_ELEMENT: WrongSignature,
    Refusal.DUPLICATED_ID_IN_SIGNED_ELEMENTS: WrongSignature,
    Refusal.INVALID_SIGNED_ELEMENT: WrongSignature,
    Refusal.DUPLICATED_REFERENCE_IN_SIGNED_ELEMENTS: WrongSignature,
    Refusal.UNEXPECTED_SIGNED_ELEMENTS: WrongSignature,
    Refusal.WRONG_NUMBER_OF_SIGNATURES: WrongSignature,
    Refusal.WRONG_NUMBER_OF_SIGNATURES_IN_RESPONSE: WrongSignature,
    Refusal.WRONG_NUMBER_OF_SIGNATURES_IN_ASSERTION: WrongSignature,
    Refusal.DEPRECATED_SIGNATURE_METHOD: WrongSignature,
    Refusal.DEPRECATED_DIGEST_METHOD: WrongSignature,
}


@dataclass(frozen=True)
class ServiceProvider:
    """We, as one host of one organisation is known to its identity provider."""

    entity_id: str
    acs_url: str
    certificate: str
    private_key: str = ""


def settings_of(own: ServiceProvider, provider: ProviderMetadata | None) -> dict[str, Any]:
    """Return the toolkit's settings; without a provider they are good for our metadata only."""
    return {
        "strict": True,
        "debug": False,
        "sp": {
            "entityId": own.entity_id,
            "assertionConsumerService": {
                "url": own.acs_url,
                "binding": Constants.BINDING_HTTP_POST,
            },
            "NameIDFormat": Constants.NAMEID_UNSPECIFIED,
            "x509cert": own.certificate,
            "privateKey": own.private_key,
        },
        "security": {
            "authnRequestsSigned": bool(own.private_key),
            "wantAssertionsSigned": True,
            "wantMessagesSigned": True,
            "wantNameId": True,
            "wantAttributeStatement": False,
            "allowRepeatAttributeName": True,
            "allowSingleLabelDomains": True,
            "rejectDeprecatedAlgorithm": True,
            "requestedAuthnContext": False,
            "signatureAlgorithm": Constants.RSA_SHA256,
            "digestAlgorithm": Constants.SHA256,
        },
        **({"idp": provider.toolkit} if provider else {}),
    }


def own_metadata(own: ServiceProvider) -> bytes:
    """Return the metadata that the identity provider is configured with."""
    settings = Settings(settings=settings_of(own, None), sp_validation_only=True)
    metadata: bytes | str = settings.get_sp_metadata()
    return metadata.encode() if isinstance(metadata, str) else metadata


def begin(own: ServiceProvider, provider: ProviderMetadata) -> tuple[str, str]:
    """Return where to send the browser, and the id of the request that the answer must name."""
    auth = Auth(_request_data(own), settings_of(own, provider))
    # The address to return to stays in the session: RelayState carries nothing.
    url: str = auth.login(return_to="")
    request_id: str = auth.get_last_request_id()
    return url, request_id


@dataclass(frozen=True)
class Assertion:
    """What a response proved. The toolkit's names are kept: django-allauth reads it so."""

    assertion_id: str
    expires_at: datetime
    name_id: str
    name_id_format: str
    attributes: dict[str, list[str]]

    def get_attributes(self) -> dict[str, list[str]]:
        return self.attributes

    def get_nameid(self) -> str:
        return self.name_id

    def get_nameid_format(self) -> str:
        return self.name_id_format


def answered_request(saml_response: str) -> str:
    """Return which request this response says it answers, before anything of it is believed.

    Raises AnswerUnreadable; NotAsked for what an identity provider began by itself.
    """
    if len(saml_response) > LARGEST_RESPONSE:
        raise AnswerUnreadable(why="too large")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        document = etree.fromstring(b64decode(saml_response), parser)
    except (etree.XMLSyntaxError, BinasciiError, ValueError) as error:
        raise AnswerUnreadable(why=str(error)) from error
    request_id: str = document.get("InResponseTo", "")
    if not request_id:
        raise NotAsked(why="the response answers no request (IdP-initiated)")
    return request_id


def read_response(
    saml_response: str, *, own: ServiceProvider, provider: ProviderMetadata, request_id: str
) -> Assertion:
    """Return what the response proves about who answered `request_id`.

    Raises SignInRefused, in the kind that says what is the matter.
    """
    try:
        response = Response(Settings(settings=settings_of(own, provider)), saml_response)
        response.is_valid(_request_data(own), request_id, raise_exceptions=True)
        _check_what_the_toolkit_lets_pass(response, own, request_id)
        return _assertion(response)
    except Refusal as refusal:
        kind = _REFUSALS.get(refusal.code, AnswerUnreadable)
        raise kind(why=str(refusal)) from refusal
    except (ToolkitError, etree.Error, xmlsec.Error, BinasciiError, ValueError) as error:
        raise AnswerUnreadable(why=str(error)) from error


def _check_what_the_toolkit_lets_pass(response: Any, own: ServiceProvider, request_id: str) -> None:
    document = response.get_xml_document()
    if document.get("InResponseTo") != request_id:
        raise NotAsked(why="the response answers another request")
    if document.get("Destination") != own.acs_url:
        raise WrongAudience(why=f"Destination is {document.get('Destination')}")
    if own.entity_id not in response.get_audiences():
        raise WrongAudience(why=f"Audience is {response.get_audiences()}")
    confirmations = document.xpath(
        f"{_ASSERTION}/saml:Subject/saml:SubjectConfirmation[@Method='{Constants.CM_BEARER}']"
        "/saml:SubjectConfirmationData[@NotOnOrAfter]",
        namespaces=_NAMES,
    )
    if not any(
        one.get("Recipient") == own.acs_url and one.get("InResponseTo") == request_id
        for one in confirmations
    ):
        raise WrongAudience(why="no bearer confirmation for this address and request")


def _assertion(response: Any) -> Assertion:
    """Return the content of the assertion whose signature was checked."""
    document = response.get_xml_document()
    ends = document.xpath(f"{_ASSERTION}/saml:Conditions/@NotOnOrAfter", namespaces=_NAMES)
    limit = response.get_assertion_not_on_or_after() or 0
    ends = [datetime.fromtimestamp(limit, tz=UTC), *map(_moment, ends)]
    return Assertion(
        assertion_id=document.xpath(f"{_ASSERTION}/@ID", namespaces=_NAMES)[0],
        expires_at=max(ends),
        name_id=response.get_nameid() or "",
        name_id_format=response.get_nameid_format() or "",
        attributes=response.get_attributes(),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _request_data(own: ServiceProvider) -> dict[str, Any]:
    """Return the address as it is known outside, whatever a proxy made of it."""
    at = urlsplit(own.acs_url)
    return {
        "https": "on" if at.scheme == "https" else "off",
        "http_host": at.netloc,
        "script_name": at.path,
        "path_info": "",
        "get_data": {},
        "post_data": {},
    }
