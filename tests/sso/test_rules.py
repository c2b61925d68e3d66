"""Whom an identity provider is believed about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.sso.problems import EmailNotVerified, NoEmail, NoSubject, UnknownDomain
from apps.sso.rules import GOOGLE, Asserted, ascii_domain, believed_email, check_subject, domain_of

PROVED = frozenset({"corp.example"})


def believed(unverified: bool = False, **said: object) -> str:
    asserted = Asserted(**{"provider_id": "https://op.example", "subject": "1", **said})  # type: ignore[arg-type]
    return believed_email(asserted, verified_domains=PROVED, believes_unverified=unverified)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Corp.Example", "corp.example"),
        (" corp.example. ", "corp.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("localhost", ""),
        ("127.0.0.1", ""),
        ("a..b", ""),
        ("-a.example", ""),
        ("a_b.example", ""),
        ("*.example", ""),
        ("corp.example/x", ""),
        ("x" * 64 + ".example", ""),
        ("", ""),
    ],
)
def test_ascii_domain(name: str, expected: str) -> None:
    assert ascii_domain(name) == expected


@given(st.text(max_size=80))
def test_ascii_domain_is_its_own_normal_form(name: str) -> None:
    found = ascii_domain(name)

    assert found == "" or ascii_domain(found) == found


@given(st.text(max_size=30))
def test_only_what_stands_behind_the_last_at_is_the_domain(local: str) -> None:
    assert domain_of(f"{local}@corp.example") == ("corp.example" if local else "")


def test_saml_need_not_say_verified() -> None:
    assert believed(email=" Ada@Corp.Example ", is_saml=True) == "ada@corp.example"


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"email": ""}, NoEmail),
        ({"email": "ada"}, NoEmail),
        ({"email": "@corp.example"}, NoEmail),
        ({"email": "ada@elsewhere.example", "is_saml": True}, UnknownDomain),
        ({"email": "ada@sub.corp.example", "is_saml": True}, UnknownDomain),
        ({"email": "ada@evilcorp.example", "is_saml": True}, UnknownDomain),
        ({"email": "ada@corp.example@elsewhere.example", "is_saml": True}, UnknownDomain),
        (
            {"email": "ada@corp.example", "is_saml": True, "is_email_verified": False},
            EmailNotVerified,
        ),
        ({"email": "ada@corp.example"}, EmailNotVerified),
        ({"email": "ada@corp.example", "is_email_verified": False}, EmailNotVerified),
    ],
)
def test_believed_email_refuses(said: dict[str, object], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        believed(**said)


def test_a_provider_of_the_organisation_alone_need_not_say_verified() -> None:
    assert believed(unverified=True, email="ada@corp.example") == "ada@corp.example"


@pytest.mark.parametrize("unverified", [True, False])
@pytest.mark.parametrize("hosted", ["", "elsewhere.example"])
def test_google_is_believed_of_accounts_that_a_proved_domain_hosts(
    unverified: bool, hosted: str
) -> None:
    said = {"provider_id": GOOGLE, "email": "ada@corp.example", "is_email_verified": True}

    with pytest.raises(UnknownDomain):
        believed(unverified=unverified, hosted_domain=hosted, **said)
    assert believed(hosted_domain="corp.example", **said) == "ada@corp.example"


@pytest.mark.parametrize("subject", ["", "  ", "x" * 192])
def test_a_subject_must_last(subject: str) -> None:
    with pytest.raises(NoSubject):
        check_subject(Asserted(provider_id="p", subject=subject))
