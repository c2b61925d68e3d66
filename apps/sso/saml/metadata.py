"""What an identity provider says of itself: SAML 2.0 Metadata, section 2.4.3."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as BinasciiError
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from dateutil.parser import isoparse
from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Constants
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML as Xml

from apps.core.problems import Invalid

LONGEST_NAME = 500
_NAMES = {"md": Constants.NS_MD, "ds": Constants.NS_DS}
_SIGN_IN = (
    f"md:IDPSSODescriptor/md:SingleSignOnService[@Binding='{Constants.BINDING_HTTP_REDIRECT}']"
)
_CERTIFICATES = (
    "md:IDPSSODescriptor/md:KeyDescriptor[not(@use='encryption')]"
    "/ds:KeyInfo/ds:X509Data/ds:X509Certificate"
)


class MetadataUnusable(Invalid):
    code = "sso-metadata-unusable"
    title = "This is not the metadata of a SAML 2.0 identity provider that can be used here."


@dataclass(frozen=True)
class ProviderMetadata:
    """The part of a provider's metadata that sign-in needs."""

    entity_id: str
    sign_in_url: str
    certificates: tuple[str, ...]
    expires_at: datetime

    @property
    def toolkit(self) -> dict[str, Any]:
        """The `idp` settings of python3-saml."""
        return {
            "entityId": self.entity_id,
            "singleSignOnService": {"url": self.sign_in_url},
            "x509certMulti": {"signing": list(self.certificates)},
        }


def read_metadata(xml: bytes | str, *, at: datetime) -> ProviderMetadata:
    """Return what the metadata of exactly one identity provider says.

    `expires_at` is when the last of its signing certificates, or the document itself, ends.
    Raises MetadataUnusable with the reason: no XML, several providers, no redirect binding, no
    certificate, everything expired.
    """
    entity = _provider(xml)
    entity_id = entity.get("entityID", "")
    if not 0 < len(entity_id) <= LONGEST_NAME:
        raise MetadataUnusable(f"Its entity id must have 1 to {LONGEST_NAME} characters.")
    addresses = [node.get("Location", "") for node in entity.iterfind(_SIGN_IN, _NAMES)]
    addresses = [url for url in addresses if urlsplit(url).scheme in ("https", "http")]
    if not addresses:
        raise MetadataUnusable("It names no sign-in address for the HTTP-Redirect binding.")
    texts = ["".join(node.itertext()) for node in entity.xpath(_CERTIFICATES, namespaces=_NAMES)]
    ends = {re.sub(r"\s", "", text): certificate_end(text) for text in texts}
    valid = {text: end for text, end in ends.items() if end > at}
    if not valid:
        raise MetadataUnusable("It has no signing certificate that is valid now.")
    limits = [max(valid.values()), *map(_moment, entity.xpath("@validUntil"))]
    if min(limits) <= at:
        raise MetadataUnusable("It says itself that it is out of date (validUntil).")
    return ProviderMetadata(entity_id, addresses[0], tuple(valid), min(limits))


def _provider(xml: bytes | str) -> Any:
    """Return the EntityDescriptor of the one identity provider in this document."""
    try:
        document = Xml.to_etree(xml)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MetadataUnusable("It is no well-formed XML, or it has a document type.") from error
    found = document.xpath(
        "descendant-or-self::md:EntityDescriptor[md:IDPSSODescriptor]", namespaces=_NAMES
    )
    if len(found) != 1:
        raise MetadataUnusable(f"It describes {len(found)} identity providers instead of one.")
    return found[0]


def certificate_end(text: str) -> datetime:
    """Return when a certificate in base64 ends. Raises MetadataUnusable."""
    try:
        certificate = x509.load_der_x509_certificate(b64decode(re.sub(r"\s", "", text)))
    except (ValueError, BinasciiError) as error:
        raise MetadataUnusable("One of its certificates can't be read.") from error
    return certificate.not_valid_after_utc


def _moment(text: str) -> datetime:
    try:
        moment = isoparse(text)
    except ValueError as error:
        raise MetadataUnusable("Its validUntil is no time.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
