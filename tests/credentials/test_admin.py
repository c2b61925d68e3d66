"""Back office of credentials: pages that work, forms that call services, nothing for strangers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.cohorts.models import CohortStaff, StaffRole
from apps.contacts.models import AdminAction, Contact
from apps.core.clock import now
from apps.core.tenancy import tenant_context
from apps.credentials.forms import AlignmentsField, TagsField
from apps.credentials.models import (
    AwardHold,
    CertificationAward,
    CertificationTemplateVersion,
    IssuerKey,
)
from apps.credentials.services import open_hold
from apps.organizations.models import Organization, OrgRole
from tests.clients import browser
from tests.cohorts.factories import NOON
from tests.credentials.factories import World, draft_template, event_line, world
from tests.factories import member

pytestmark = pytest.mark.django_db


@pytest.fixture
def it() -> World:
    return world()


@pytest.fixture
def registrar() -> Contact:
    return member(OrgRole.ADMIN, name="Registrar")


def url(model: str, verb: str, *args: Any) -> str:
    return reverse(f"admin:credentials_{model}_{verb}", args=args)


def messages(client: Client, page: Any) -> list[str]:
    """Follow a redirect and return what the next page tells."""
    answer = client.get(page.url)
    return [str(message) for message in answer.context["messages"]]


def held(it: World) -> AwardHold:
    return open_hold(
        enrollment=it.enrollment, template=it.template, actor=None, reason="Asked", at=NOON
    )


@pytest.mark.parametrize(
    "model",
    [
        "certificationtemplate",
        "certificationtemplateversion",
        "certificationaward",
        "awardhold",
        "issuerkey",
        "credentialdocument",
    ],
)
@pytest.mark.parametrize("role", [OrgRole.ADMIN, OrgRole.AUDITOR])
def test_every_list_and_page_opens(it: World, model: str, role: str) -> None:
    award = it.awarded()
    ids = {
        "certificationtemplate": it.template.id,
        "certificationtemplateversion": it.version.id,
        "certificationaward": award.id,
        "awardhold": held(it).id,
        "issuerkey": IssuerKey.objects.get().id,
        "credentialdocument": award.documents.get().id,
    }
    client = browser(member(role))

    assert client.get(url(model, "changelist")).status_code == 200
    page = client.get(url(model, "change", ids[model]))
    assert page.status_code == 200
    assert b"sealed" not in page.content


# --- Authoring -----------------------------------------------------------------------------------
def filled_in(draft: CertificationTemplateVersion, **changes: str) -> dict[str, str]:
    return {
        "name": draft.name,
        "description": draft.description,
        "criteria_markdown": draft.criteria_markdown,
        "requirement_set": str(draft.requirement_set_id),
        "award_mode": draft.award_mode,
        "validity_days": "",
        "badge_letters": "CSE",
        "badge_background": "#102030",
        "badge_foreground": "#ffffff",
        "tags": "safety, tanks",
        "alignments": "Rescue | https://skills.example/r | R-1\n\nLifting | https://skills.example/l",
        **changes,
    }


def test_a_draft_is_edited_and_published(it: World, registrar: Contact) -> None:
    draft = draft_template(it.requirements, slug="d")
    client = browser(registrar)
    page = url("certificationtemplateversion", "change", draft.id)

    assert client.post(page, filled_in(draft)).status_code == 302
    assert b"data:image/svg+xml" in client.get(page).content
    publishing = url("certificationtemplateversion", "publish", draft.id)
    assert b"awarded by itself" in client.get(publishing).content
    client.post(publishing)

    draft.refresh_from_db()
    assert draft.number == 1
    assert draft.tags == ["safety", "tanks"]
    assert draft.alignments == [
        {
            "target_name": "Rescue",
            "target_url": "https://skills.example/r",
            "target_code": "R-1",
        },
        {"target_name": "Lifting", "target_url": "https://skills.example/l"},
    ]
    assert client.get(url("certificationtemplateversion", "diff", draft.id)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"alignments": "Rescue"}, b"Alignment 1: target_url is not an address on the web"),
        ({"tags": "a, a"}, b"A tag is there twice."),
        ({"badge_background": "red"}, b"A colour is written #rrggbb."),
        ({"validity_days": "0"}, b"greater than or equal to 1"),
    ],
)
def test_a_fault_of_a_draft_is_told_in_the_form(
    it: World, registrar: Contact, changes: dict[str, str], fault: bytes
) -> None:
    draft = draft_template(it.requirements, slug="d")

    page = url("certificationtemplateversion", "change", draft.id)
    answer = browser(registrar).post(page, filled_in(draft, **changes))

    assert answer.status_code == 200
    assert fault in answer.content


def test_the_fields_of_lists_give_back_what_they_show() -> None:
    alignments = [{"target_name": "A", "target_url": "https://a.example", "target_framework": "F"}]
    for field, value in ((TagsField(), ["a", "b"]), (AlignmentsField(), alignments)):
        shown = field.prepare_value(value)
        assert field.to_python(shown) == value
        assert not field.has_changed(value, shown)
        assert field.has_changed(value, "")


def test_type_and_program_of_a_published_template_are_not_offered(
    it: World, registrar: Contact
) -> None:
    page = browser(registrar).get(url("certificationtemplate", "change", it.template.id))

    assert b'name="type"' not in page.content
    assert b'name="title"' in page.content


# --- Awards --------------------------------------------------------------------------------------
def test_an_award_is_made_by_hand(it: World, registrar: Contact) -> None:
    it.meet()
    client, page = browser(registrar), url("certificationaward", "add")
    assert b"Ada" not in client.get(page).content
    assert b"Ada" in client.get(page, {"q": "ada"}).content
    form = {"template": str(it.template.id), "enrollment": str(it.enrollment.id), "reason": "Board"}

    made = client.post(page, form)

    award = CertificationAward.objects.get()
    assert (award.granted_by, award.reason) == (registrar, "Board")
    assert messages(client, made) == ["Awarded."]
    assert AdminAction.objects.get(action="award.granted").actor == registrar


def test_an_award_made_twice_says_that_it_is_held_already(it: World, registrar: Contact) -> None:
    it.meet()
    client, page = browser(registrar), url("certificationaward", "add")
    form = {"template": str(it.template.id), "enrollment": str(it.enrollment.id)}
    messages(client, client.post(page, form))

    again = client.post(page, form)

    award = CertificationAward.objects.get()
    assert again.url == url("certificationaward", "change", award.id)
    assert messages(client, again) == ["Nothing new was awarded: they hold this award already."]


def test_an_award_that_is_held_leads_to_the_hold(it: World, registrar: Contact) -> None:
    it.meet()
    hold, client = held(it), browser(registrar)
    form = {"template": str(it.template.id), "enrollment": str(it.enrollment.id)}

    stopped = client.post(url("certificationaward", "add"), form)

    assert stopped.url == url("awardhold", "change", hold.id)
    assert messages(client, stopped)[0].startswith("Not awarded yet")


def test_an_award_that_is_refused_tells_why(it: World, registrar: Contact) -> None:
    client = browser(registrar)
    form = {"template": str(it.template.id), "enrollment": str(it.enrollment.id)}

    refused = client.post(url("certificationaward", "add"), form)

    said = ["The requirements of this award are not all met."]
    assert (refused.status_code, refused.context["form"].non_field_errors()) == (200, said)


def test_a_revocation_needs_a_reason_and_a_confirmation(it: World, registrar: Contact) -> None:
    award = it.awarded()
    client, page = browser(registrar), url("certificationaward", "revoke", award.id)
    assert client.get(page).status_code == 200

    for form in ({}, {"reason": "Copied"}, {"confirmed": "on"}, {"reason": " ", "confirmed": "on"}):
        assert client.post(page, form).status_code == 200
    assert event_line(award) == ["issued"]

    done = client.post(page, {"reason": "Copied", "confirmed": "on"})
    assert messages(client, done) == ["Revoked."]
    assert event_line(award) == ["issued", "revoked"]
    assert AdminAction.objects.get(action="award.revoked").details == {"reason": "Copied"}


def test_an_award_is_suspended_and_reinstated(it: World, registrar: Contact) -> None:
    award = it.awarded()
    client = browser(registrar)
    page = url("certificationaward", "change", award.id)
    assert b"Suspend\xe2\x80\xa6" in client.get(page).content

    client.post(url("certificationaward", "suspend", award.id), {"reason": "Review"})
    assert b"Reinstate\xe2\x80\xa6" in client.get(page).content
    client.post(url("certificationaward", "reinstate", award.id), {"reason": "Cleared"})

    assert event_line(award) == ["issued", "suspended", "reinstated"]


@pytest.mark.parametrize("verb", ["revoke", "suspend", "reinstate"])
@pytest.mark.parametrize("role", [OrgRole.AUDITOR, OrgRole.INSTRUCTOR])
def test_who_may_not_change_awards(it: World, role: str, verb: str) -> None:
    award = it.awarded()
    person = member(role)
    CohortStaff.objects.create(cohort=it.scene.cohort, contact=person, role=StaffRole.INSTRUCTOR)
    client = browser(person)

    assert client.get(url("certificationaward", "change", award.id)).status_code == 200
    answer = client.post(
        url("certificationaward", verb, award.id), {"reason": "No", "confirmed": "on"}
    )

    assert answer.status_code == 404
    assert event_line(award) == ["issued"]
    assert client.post(url("certificationaward", "add"), {}).status_code == 404


def test_an_instructor_sees_the_awards_of_their_cohorts_only(it: World) -> None:
    award = it.awarded()
    held(it)
    client = browser(member(OrgRole.INSTRUCTOR))

    for model in ("certificationaward", "awardhold", "credentialdocument"):
        page = client.get(url(model, "changelist"))
        assert award.certificate_number.encode() not in page.content
        assert b"Asked" not in page.content
    assert client.get(url("certificationaward", "change", award.id)).status_code in {302, 404}


def test_the_list_of_awards_costs_the_same_for_one_and_for_four(
    it: World, registrar: Contact, django_assert_max_num_queries: Any
) -> None:
    client = browser(registrar)
    it.awarded()
    client.get(url("certificationaward", "changelist"))
    with django_assert_max_num_queries(100) as few:
        client.get(url("certificationaward", "changelist"))
    for name in ("Bob", "Cem", "Dora"):
        it.another(name).awarded()

    with django_assert_max_num_queries(len(few)):
        client.get(url("certificationaward", "changelist"))


# --- Holds ---------------------------------------------------------------------------------------
def test_a_hold_is_decided(it: World, registrar: Contact) -> None:
    hold = held(it)
    client = browser(registrar)
    assert b"Decide\xe2\x80\xa6" in client.get(url("awardhold", "change", hold.id)).content
    page = url("awardhold", "resolve", hold.id)

    assert client.post(page, {"resolution": "revoked", "reason": "x"}).status_code == 200
    done = client.post(page, {"resolution": "refused", "reason": "Misconduct"})

    hold.refresh_from_db()
    assert messages(client, done) == ["Decided."]
    assert (hold.resolution, hold.resolved_by) == ("refused", registrar)
    again = client.post(page, {"resolution": "released", "reason": "Sorry"})
    assert messages(client, again) == ["This hold was resolved before."]


# --- Keys ----------------------------------------------------------------------------------------
def test_keys_are_rotated_and_withdrawn(it: World, registrar: Contact) -> None:
    it.awarded(at=now() - timedelta(hours=1))
    old = IssuerKey.objects.get()
    client = browser(registrar)
    assert b"Rotate the key" in client.get(url("issuerkey", "changelist")).content

    client.post(url("issuerkey", "rotate"))
    old.refresh_from_db()
    assert old.state == "retired"

    page = url("issuerkey", "revoke", old.id)
    assert client.post(page, {"reason": "Lost"}).status_code == 200
    client.post(page, {"reason": "Lost", "confirmed": "on"})
    old.refresh_from_db()
    assert old.state == "revoked"
    assert IssuerKey.objects.filter(state="active").count() == 1


def test_an_auditor_sees_keys_and_changes_none(it: World) -> None:
    it.awarded()
    client = browser(member(OrgRole.AUDITOR))

    assert b"Rotate the key" not in client.get(url("issuerkey", "changelist")).content
    assert client.post(url("issuerkey", "rotate")).status_code == 404
    assert client.get(url("issuerkey", "rotate")).status_code == 404
    assert IssuerKey.objects.get().state == "active"


# --- Another organisation ------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("model", "verb"),
    [
        ("certificationaward", "revoke"),
        ("certificationaward", "suspend"),
        ("certificationaward", "reinstate"),
        ("awardhold", "resolve"),
        ("issuerkey", "revoke"),
        ("certificationtemplateversion", "publish"),
        ("certificationtemplateversion", "diff"),
    ],
)
def test_rows_of_another_organisation_are_not_found(
    org_b: Organization, registrar: Contact, model: str, verb: str
) -> None:
    with tenant_context(org_b):
        there = world()
        award = there.awarded()
        ids = {
            "certificationaward": award.id,
            "awardhold": held(there).id,
            "issuerkey": IssuerKey.objects.get().id,
            "certificationtemplateversion": there.version.id,
        }

    answer = browser(registrar).get(url(model, verb, ids[model]))

    assert answer.status_code == 404
