"""One's certificates, and the page on which anybody verifies one."""

from __future__ import annotations

import pytest

from apps.cohorts.services import enroll
from apps.contacts.models import Contact
from apps.core.tenancy import connection, tenant_context
from apps.credentials.models import CertificationAward
from apps.credentials.services import revoke_award, suspend_award
from apps.organizations.models import Organization, OrganizationStatus
from tests.clients import browser
from tests.cohorts.factories import NOON
from tests.credentials.factories import World, world
from tests.factories import contact, member, some_uuid

pytestmark = pytest.mark.django_db


def world_of(learner: Contact) -> World:
    """Return a world whose learner can sign in."""
    anybodys = world()
    return anybodys.of(enroll(cohort=anybodys.scene.cohort, contact=learner, actor=None, at=NOON))


def page_of(award: CertificationAward) -> str:
    response = browser().get(f"/credentials/{award.id}")
    assert response.status_code == 200
    return response.content.decode()


def test_anybody_sees_what_was_signed_and_that_it_holds() -> None:
    award = world().awarded()

    page = page_of(award)

    for told in (
        "This credential is genuine and in force.",
        "Confined space entrant",
        "awarded to <strong>Ada</strong>",
        award.certificate_number,
        "Pass the <em>quiz</em> and the practical.",
        "The content is exactly what was signed.",
    ):
        assert told in page
    assert "invalid" not in page


def test_the_signed_name_is_shown_even_after_the_person_changed_theirs() -> None:
    award = world().awarded()
    Contact.objects.filter(pk=award.contact_id).update(display_name="Countess", legal_name="King")

    page = page_of(award)

    assert "<strong>Ada</strong>" in page
    assert "King" not in page


def test_a_revoked_credential_is_shown_as_revoked() -> None:
    award = world().awarded()
    revoke_award(award=award, actor=contact(), reason="Somebody else sat the exam.", at=NOON)

    page = page_of(award)

    assert "This credential is not valid." in page
    assert "The issuer has revoked the credential." in page
    assert "Somebody else" not in page


def test_a_suspended_credential_is_shown_as_suspended() -> None:
    award = world().awarded()
    suspend_award(award=award, actor=contact(), reason="Under review.", at=NOON)

    assert "The issuer has suspended the credential for now." in page_of(award)


def test_what_was_never_awarded_is_not_found() -> None:
    assert browser().get(f"/credentials/{some_uuid()}").status_code == 404


def test_a_credential_of_another_organisation_is_not_found(
    org_a: Organization, org_b: Organization
) -> None:
    with tenant_context(org_b):
        award = world().awarded()

    assert browser().get(f"/credentials/{award.id}").status_code == 404


def test_a_suspended_organisations_credentials_can_still_be_verified(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("apps.organizations.middleware.REMEMBER_SECONDS", 0.0)
    award = world().awarded()
    with connection.platform():
        Organization.objects.update(status=OrganizationStatus.SUSPENDED)

    assert browser().get("/").status_code == 403
    assert "genuine and in force" in page_of(award)


def test_ones_certificates_are_listed_with_their_state() -> None:
    ada = member(name="Ada Lovelace")
    mine = world_of(ada).awarded()

    page = browser(ada).get("/certificates").content.decode()

    assert f"/credentials/{mine.id}" in page
    assert mine.certificate_number in page
    assert "in force" in page
    assert f"/credentials/{mine.id}" in browser(ada).get("/").content.decode()


def test_somebody_elses_certificates_are_not_listed() -> None:
    award = world_of(member(name="Ada")).awarded()

    page = browser(member(name="Bob")).get("/certificates").content.decode()

    assert "No certificates yet" in page
    assert award.certificate_number not in page
