"""What every page of the back office has in common."""

from __future__ import annotations

import re

import pytest

from apps.contacts.admin_base import Section
from apps.contacts.admin_base.history import told, verb_of
from apps.contacts.services import record_admin_action
from apps.organizations.models import OrgRole
from tests.clients import browser
from tests.factories import contact, member


def test_verb_of_is_what_was_done_in_words() -> None:
    told_as = {name: verb_of(name) for name in ("cohort.staff_added", "login", "x.never-heard")}

    assert told_as == {
        "cohort.staff_added": "staff added",
        "login": "signed in",
        "x.never-heard": "never heard",
    }


def test_told_is_lines_that_a_person_can_read() -> None:
    details = {
        "changes": [
            {"changed": {"fields": ["Title", "Slug"]}},
            {"added": {"name": "channel", "object": "a@b.c"}},
            "By hand.",
            {},
        ],
        "enrollments": ["1", "2"],
        "email": "a@b.c",
        "status": {"from": "planned", "to": "open"},
        "reason": "",
        "invitation": "01a20345-79db-76c1-9c4d-6f36b4697ac0",
    }

    assert told(details) == [
        "changed Title, Slug",
        "added channel “a@b.c”",
        "By hand.",
        "enrollments: 2",
        "email: a@b.c",
        "status, from: planned",
        "status, to: open",
    ]


@pytest.mark.django_db
def test_history_shows_who_did_what_to_a_row_and_nothing_of_others() -> None:
    ada, bo = contact("Ada"), contact("Bo")
    registrar = member(OrgRole.ADMIN, name="Rita Registrar")
    record_admin_action(actor=registrar, action="contact.merged", entity=ada, details={"x": "y"})
    record_admin_action(actor=registrar, action="contact.secret_deed", entity=bo)

    text = (
        browser(member(OrgRole.AUDITOR))
        .get(f"/admin/contacts/contact/{ada.id}/history/")
        .content.decode()
    )

    page = text.partition('id="content"')[2]
    cells = [re.sub(r"<.*?>", "", cell).strip() for cell in re.findall(r"<td>(.*?)</td>", page)]
    assert cells[1:4] == ["Rita Registrar", "merged", "x: y"]
    assert "secret deed" not in text


@pytest.mark.django_db
def test_history_is_offered_to_who_may_read_it() -> None:
    page = f"/admin/contacts/contact/{contact('Ada').id}/"

    offered = (
        'class="historylink"'
        in browser(member(OrgRole.OWNER)).get(f"{page}change/").content.decode()
    )
    answer = browser(member(OrgRole.INSTRUCTOR)).get(f"{page}history/").status_code

    assert (offered, answer) == (True, 404)


@pytest.mark.django_db
def test_the_menu_stands_in_sections_and_offers_what_one_may_see() -> None:
    owner = browser(member(OrgRole.OWNER)).get("/admin/").content.decode()
    instructor = browser(member(OrgRole.INSTRUCTOR)).get("/admin/").content.decode()

    assert str(Section.ORGANIZATION.label) in owner
    assert "/admin/organizations/orgmembership/" in owner
    assert "/admin/organizations/orgmembership/" not in instructor


@pytest.mark.django_db
def test_what_an_app_is_called_in_the_code_has_no_page() -> None:
    response = browser(member(OrgRole.OWNER)).get("/admin/contacts/")

    assert (response.status_code, response["Location"]) == (302, "/admin/")
