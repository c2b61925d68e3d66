"""Decisions about who is believed: pure, no query, no clock."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from apps.sso.problems import EmailNotVerified, NoEmail, NoSubject, SignInRefused, UnknownDomain

LONGEST_SUBJECT = 191  # as django-allauth has it
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
GOOGLE = "https://accounts.google.com"
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)\Z")


@dataclass(frozen=True)
class Asserted:
    """What an identity provider says of the person at the door.

    `is_email_verified` is None where the provider says nothing; `hosted_domain` is Google's `hd`.
    """

    provider_id: str
    subject: str
    email: str = ""
    display_name: str = ""
    is_email_verified: bool | None = None
    hosted_domain: str = ""
    is_saml: bool = False


def ascii_domain(domain: str) -> str:
    """Return a domain in lower-case ASCII (IDNA), or "" for what is none."""
    try:
        name = domain.strip().rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
    labels = name.split(".")
    is_name = len(labels) > 1 and len(name) <= 253 and all(map(_LABEL.match, labels))
    return name if is_name and not labels[-1].isdigit() else ""


def domain_of(email: str) -> str:
    """Return the domain of an address in ASCII, or "" for what is no address."""
    local, at, domain = email.rpartition("@")
    return ascii_domain(domain) if local and at else ""


def check_subject(asserted: Asserted) -> None:
    """Raise NoSubject for a subject that is missing or too long to be kept."""
    if not asserted.subject.strip() or len(asserted.subject) > LONGEST_SUBJECT:
        raise NoSubject(why=f"the subject has {len(asserted.subject)} characters")


def believed_email(
    asserted: Asserted, *, verified_domains: Collection[str], believes_unverified: bool
) -> str:
    """Return the address that the provider is believed about, in lower case.

    Believed is only an address of a domain that the organisation proved. An OpenID provider must
    say that it verified the address, unless the owner said that it serves the organisation alone:
    one that serves everybody would else let anybody claim an address. Google serves everybody,
    so that its accounts must also be hosted by a verified domain.

    Raises NoEmail, UnknownDomain, EmailNotVerified.
    """
    email = asserted.email.strip().lower()
    domain = domain_of(email)
    if not domain:
        raise NoEmail(why=f"the address told is {asserted.email!r}")
    if domain not in verified_domains:
        raise UnknownDomain(why=f"the domain is {domain}")
    refused = _disbelief(asserted, verified_domains, believes_unverified)
    if refused is not None:
        raise refused
    return email


def _disbelief(
    asserted: Asserted, verified_domains: Collection[str], believes_unverified: bool
) -> SignInRefused | None:
    if asserted.is_email_verified is False:
        return EmailNotVerified(why="email_verified is false")
    if asserted.is_saml:
        return None
    if asserted.provider_id == GOOGLE and ascii_domain(asserted.hosted_domain) not in (
        verified_domains
    ):
        return UnknownDomain(why=f"the account is hosted by {asserted.hosted_domain or 'nobody'}")
    if asserted.is_email_verified is None and not believes_unverified:
        return EmailNotVerified(why="there is no email_verified")
    return None
