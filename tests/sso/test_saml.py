"""Signing in through a real SAML identity provider, and every way in which it can be wrong."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.contacts.models import Contact, ContactChannel
from apps.core.tenancy import tenant_context
from apps.organizations.models import (
    LimitName,
    MembershipStatus,
    Organization,
    OrganizationLimit,
    OrgMembership,
    OrgRole,
)
from apps.sso.models import SsoConnection, SsoIdentity, UsedAssertion
from tests.factories import member
from tests.sso.conftest import SamlProvider, Visitor, refusal, standing

pytestmark = pytest.mark.django_db


def test_a_stranger_of_a_proved_domain_becomes_a_learner(saml: SamlProvider) -> None:
    visitor = Visitor()

    response = visitor.sign_in(saml)

    assert (response.status_code, response["Location"]) == (302, "/")
    user = User.objects.get(email="ada@corp.example")
    contact = Contact.objects.get(user_id=user.pk)
    assert visitor.user_id == str(user.pk)
    assert standing("ada@corp.example") == (OrgRole.LEARNER, MembershipStatus.ACTIVE)
    assert (contact.display_name, user.has_usable_password()) == ("Ada Lovelace", False)
    assert ContactChannel.objects.get(contact=contact).verified_at is not None
    assert SsoIdentity.objects.get().subject == "subject-1"


def test_the_next_sign_in_finds_the_same_person_whatever_the_address(saml: SamlProvider) -> None:
    first = Visitor()
    first.sign_in(saml)
    saml.behave(email="ada.king@elsewhere.example")
    again = Visitor()

    again.sign_in(saml)

    assert again.user_id == first.user_id
    assert list(User.objects.values_list("email", flat=True).order_by("email")) == [
        "ada@corp.example",
        "olga@corp.example",
    ]


def test_where_one_was_going_is_kept(saml: SamlProvider) -> None:
    visitor = Visitor()

    response = visitor.sign_in(saml, "/accounts/sso/?next=/certificates")

    assert response["Location"] == "/certificates"


def test_a_foreign_address_to_return_to_is_forgotten(saml: SamlProvider) -> None:
    visitor = Visitor()
    form = saml.answer(visitor.begin("/accounts/sso/?next=https://evil.example/"))

    response = visitor.post({**form, "RelayState": "https://evil.example/"})

    assert response["Location"] == "/"


def test_an_encrypted_assertion_is_opened(saml: SamlProvider) -> None:
    row = SsoConnection.objects.get()
    saml.behave(encrypts_for=row.own_certificate)
    visitor = Visitor()

    visitor.sign_in(saml)

    assert visitor.user_id is not None


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("unsigned", "sso-not-signed"),
        ("unsigned-assertion", "sso-not-signed"),
        ("unsigned-message", "sso-not-signed"),
        ("other-key", "sso-wrong-signature"),
        ("tampered", "sso-wrong-signature"),
        ("wrapped", "sso-answer-unreadable"),
        ("expired", "sso-expired"),
        ("early", "sso-expired"),
        ("other-audience", "sso-wrong-audience"),
        ("other-recipient", "sso-wrong-audience"),
        ("other-destination", "sso-wrong-audience"),
        ("longer-destination", "sso-wrong-audience"),
        ("other-issuer", "sso-wrong-provider"),
        ("other-request", "sso-wrong-audience"),
        ("idp-initiated", "sso-not-asked"),
        ("refused", "sso-provider-refused"),
    ],
)
def test_a_wrong_answer_lets_nobody_in(saml: SamlProvider, fault: str, code: str) -> None:
    saml.behave(fault=fault)
    visitor = Visitor()

    response = visitor.sign_in(saml)

    assert refusal(response) == (403, code)
    assert visitor.user_id is None
    assert (standing("ada@corp.example"), SsoIdentity.objects.count()) == (None, 0)


def test_an_answer_counts_once(saml: SamlProvider) -> None:
    visitor = Visitor()
    form = saml.answer(visitor.begin())
    visitor.post(form)
    visitor.client.post("/accounts/logout/")

    again = visitor.post(form)

    assert refusal(again) == (403, "sso-not-asked")
    assert visitor.user_id is None


def test_an_assertion_counts_once_whatever_the_session_says(saml: SamlProvider) -> None:
    visitor = Visitor()
    form = saml.answer(visitor.begin())
    pending = visitor.client.session["socialaccount_states"]
    visitor.post(form)
    visitor.client.post("/accounts/logout/")
    session = visitor.client.session
    session["socialaccount_states"] = pending
    session.save()
    visitor.client.cookies["assay_session"] = session.session_key

    again = visitor.post(form)

    assert refusal(again) == (403, "sso-already-used")


def test_an_answer_is_good_in_the_browser_that_asked_only(saml: SamlProvider) -> None:
    form = saml.answer(Visitor().begin())
    other = Visitor()

    response = other.post(form)

    assert refusal(response) == (403, "sso-not-asked")
    assert other.user_id is None


@pytest.mark.parametrize("answer", ["", "no base64!", "bm8geG1s", "x" * 600_000])
def test_what_is_no_answer_is_told_so(saml: SamlProvider, answer: str) -> None:
    response = Visitor().post({"SAMLResponse": answer})

    assert refusal(response) == (403, "sso-answer-unreadable")


def test_a_name_for_one_sign_in_only_is_refused(saml: SamlProvider) -> None:
    saml.behave(name_id_format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient")

    assert refusal(Visitor().sign_in(saml)) == (403, "sso-no-subject")


def test_an_address_of_an_unproved_domain_is_not_believed(saml: SamlProvider) -> None:
    saml.behave(email="ada@elsewhere.example")

    assert refusal(Visitor().sign_in(saml)) == (403, "sso-unknown-domain")
    assert not User.objects.filter(email="ada@elsewhere.example").exists()


def test_a_deactivated_member_stays_outside(saml: SamlProvider) -> None:
    person = member(email="ada@corp.example")
    with connection.platform():
        OrgMembership.objects.filter(user_id=person.user_id).update(
            status=MembershipStatus.DEACTIVATED
        )

    assert refusal(Visitor().sign_in(saml)) == (403, "sso-member-deactivated")


def test_an_account_of_another_organisation_becomes_a_member_and_stays_as_it_was(
    saml: SamlProvider, org_b: Organization
) -> None:
    with tenant_context(org_b):
        person = member(OrgRole.OWNER, email="ada@corp.example")
    with connection.platform():
        before = User.objects.values().get(pk=person.user_id)

    visitor = Visitor()
    visitor.sign_in(saml)

    with connection.platform():
        after = User.objects.values().get(pk=person.user_id)
    assert visitor.user_id == str(person.user_id)
    assert standing("ada@corp.example") == (OrgRole.LEARNER, MembershipStatus.ACTIVE)
    assert {**after, "last_login": None} == before


def test_a_full_organisation_takes_nobody_in(saml: SamlProvider, org_a: Organization) -> None:
    with connection.platform():
        OrganizationLimit.objects.create(
            organization=org_a, name=LimitName.MEMBERS, amount=1, reason="A test."
        )

    assert refusal(Visitor().sign_in(saml)) == (403, "sso-no-seat")
    assert not User.objects.filter(email="ada@corp.example").exists()


def test_a_subject_of_the_same_name_elsewhere_is_another_person(
    saml: SamlProvider, org_b: Organization
) -> None:
    with tenant_context(org_b):
        stranger = member(email="eve@b.example")
    with connection.platform():
        SsoIdentity.objects.create(
            organization=org_b,
            provider_id=saml.entity_id,
            subject="subject-1",
            user_id=stranger.user_id,
            email="eve@b.example",
        )
    visitor = Visitor()

    visitor.sign_in(saml)

    assert visitor.user_id == str(User.objects.get(email="ada@corp.example").pk)


def test_a_second_subject_does_not_get_the_account_of_the_first(saml: SamlProvider) -> None:
    Visitor().sign_in(saml)
    saml.behave(subject="subject-2")

    assert refusal(Visitor().sign_in(saml)) == (403, "sso-identity-taken")


def test_used_assertions_are_of_one_organisation(saml: SamlProvider) -> None:
    Visitor().sign_in(saml)

    with connection.platform():
        assert UsedAssertion.objects.get().organization_id == connection_of(saml)


def connection_of(_saml: SamlProvider) -> Any:
    return SsoConnection.objects.get().organization_id


def test_our_metadata_names_this_host(saml: SamlProvider) -> None:
    response = Visitor().client.get("/accounts/sso/saml/metadata/")

    text = response.content.decode()
    assert response["Content-Type"] == "application/samlmetadata+xml"
    assert 'entityID="http://a.localhost:8000/accounts/sso/saml/metadata/"' in text
    assert 'Location="http://a.localhost:8000/accounts/sso/saml/acs/"' in text
    assert 'WantAssertionsSigned="true"' in text


def test_the_sign_in_page_offers_the_provider(saml: SamlProvider) -> None:
    page = Visitor().client.get("/accounts/login/?next=/certificates").content.decode()

    assert 'href="/accounts/sso/?next=%2Fcertificates"' in page or (
        'href="/accounts/sso/?next=/certificates"' in page
    )
