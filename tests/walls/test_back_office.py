"""Every page of the back office, with the demo's data, as each of the roles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import resolve

from apps.contacts.models import Contact
from apps.core import versions
from apps.core.clock import now
from apps.core.models import Definition
from apps.core.tenancy import connection, tenant_context
from apps.demo.content import ORGANIZATIONS
from apps.demo.loading import load
from apps.demo.people import open_accounts
from tests.conftest import organization, point_at
from tests.database import ORG_A, Server
from tests.walls.office import Desk, Page, forms_of, learners_elsewhere, office_endpoints
from tests.walls.world import complete_what_the_demo_lacks, picture

OFFICE = "assay_office"
STAFF = {
    "owner": "ingrid.halvorsen@northwind.example.org",
    "admin": "tomas.rivera@northwind.example.org",
    "instructor": "bill.novak@northwind.example.org",
    "instructor of what ended": "grace.mwangi@northwind.example.org",
    "auditor": "yuki.tanabe@review.example.org",
}
LEARNER = "amara.okafor@example.org"
INSTRUCTORS = [who for who in STAFF if who.startswith("instructor")]

REFUSALS = (403, 404)
FIELDS = "//main//input[not(@type='hidden' or @type='submit')] | //main//select | //main//textarea"
LABELS = "ancestor::label or @aria-label or @aria-labelledby or @title or @id = //label/@for"

# The lists that are not everybody's: those that no instructor has.
NOT_FOR_INSTRUCTORS = {
    "ai_logs.aibudget",
    "ai_logs.aimodelprice",
    "ai_logs.airetentionpolicy",
    "commerce.order",
    "commerce.orderline",
    "commerce.sellable",
    "commerce.source",
    "commerce.webhookdelivery",
    "contacts.adminaction",
    "contacts.apitoken",
    "core.outboxmessage",
    "credentials.issuerkey",
    "organizations.orgmembership",
    "organizations.planlimit",
    "sso.ssoconnection",
    "sso.ssoidentity",
}


@pytest.fixture(scope="module")
def office(server: Server, django_db_setup: None, django_db_blocker: Any) -> Iterator[Any]:
    """Who -> their desk, in an organisation with the demo's data and a draft of everything."""
    with server.clone(OFFICE) as name, django_db_blocker.unblock():
        point_at(server, name)
        cache.clear()
        plan = ORGANIZATIONS[0]
        open_accounts(one.email for one in plan.members)
        with tenant_context(organization(ORG_A)):
            load(plan, now=now(), drain=True, say=lambda line: None)
            complete_what_the_demo_lacks()
            begin_drafts()
            people = {who: contact_of(email) for who, email in STAFF.items()}
            desks = {who: Desk(one, who.partition(" ")[0]) for who, one in people.items()}
            yield {**desks, "learner": Desk(contact_of(LEARNER), "learner")}
        connection.close()
        point_at(server, "assay_test")


def contact_of(email: str) -> Contact:
    return Contact.objects.get(channels__value=email)


def begin_drafts() -> None:
    """Begin a draft of everything that has versions."""
    owner = contact_of(STAFF["owner"])
    for model in Definition.__subclasses__():
        for definition in model._default_manager.order_by("pk")[:1]:
            versions.new_draft(definition=definition, actor=owner, at=now())


def opened(desk: Desk) -> dict[str, tuple[str, Page]]:
    """Return address -> route and answer of all pages, and of what they link to."""
    pages = {address: (route, desk.open(address)) for route, address in desk.addresses()}
    pages["/admin/"] = ("admin/", desk.open("/admin/"))
    return pages


def as_data(sent: list[tuple[str, str]]) -> dict[str, list[str]]:
    data: dict[str, list[str]] = {}
    for name, value in sent:
        data.setdefault(name, []).append(value)
    return data


def is_list(address: str) -> bool:
    """Whether it is a list, which answers an action that one doesn't have by showing itself."""
    return str(resolve(address.partition("?")[0]).url_name).endswith("_changelist")


def complaints(page: Page) -> list[str]:
    """Return what is wrong with a page."""
    tree = page.tree
    checks = {
        "a title": bool(tree.xpath("string(//title)").strip()),
        "one h1": len(tree.xpath("//h1")) == 1,
        "labels": not tree.xpath(f"({FIELDS})[not({LABELS})]"),
        "nothing inline": not tree.xpath("//*[@style] | //style | //script[not(@src)]"),
    }
    return [rule for rule, holds in checks.items() if not holds]


def is_route_of_list(route: str) -> bool:
    return route.count("/") == 3 and not route.startswith("admin/password_change")


def model_in(route: str) -> str:
    return route.removeprefix("admin/").rstrip("/").replace("/", ".")


@pytest.mark.parametrize("who", ["owner", "admin", "instructor", "auditor"])
def test_each_page_opens_or_is_refused_on_purpose(office: dict[str, Desk], who: str) -> None:
    wrong = {}
    for address, (_route, page) in opened(office[who]).items():
        if page.is_page and (found := complaints(page)):
            wrong[address] = found
        elif page.status not in (200, 302, *REFUSALS):
            wrong[address] = [str(page.status)]

    assert wrong == {}


@pytest.mark.parametrize("who", ["owner", "instructor", "auditor"])
def test_no_link_leads_nowhere(office: dict[str, Desk], who: str) -> None:
    desk = office[who]
    opened(desk)

    links = desk.links()
    dead = {link: page for link, page in links.items() if desk.open(link).status not in (200, 302)}

    assert len(links) > 30
    assert dead == {}


@pytest.mark.parametrize("who", STAFF)
def test_lists_open_to_who_has_the_capability(office: dict[str, Desk], who: str) -> None:
    routes = [endpoint.route for endpoint in office_endpoints()]
    every = {model_in(route) for route in routes if is_route_of_list(route)}
    pages = opened(office[who]).values()

    found = {
        model_in(route) for route, page in pages if is_route_of_list(route) and page.status == 200
    }

    assert found == (every - NOT_FOR_INSTRUCTORS if who in INSTRUCTORS else every)


def test_a_learner_is_refused_everywhere(office: dict[str, Desk]) -> None:
    desk = office["learner"]
    addresses = [address for _route, address in desk.addresses()]

    answers = {desk.client.get(address, follow=True).status_code for address in addresses}

    assert len(addresses) > 80
    assert answers == {403}


def test_an_auditor_is_offered_nothing_to_send(office: dict[str, Desk]) -> None:
    desk = office["auditor"]
    opened(desk)

    assert {address for address, _sent in forms_of(desk)} == set()


def test_what_an_owner_can_send_changes_nothing_from_an_auditor(office: dict[str, Desk]) -> None:
    opened(office["owner"])
    forms, before, auditor = list(forms_of(office["owner"])), picture(), office["auditor"].client

    taken = {}
    for address, sent in forms:
        answer = auditor.post(address, as_data(sent))
        if answer.status_code not in REFUSALS:
            taken[address] = answer.status_code

    assert len(forms) > 80
    assert {address for address in taken if not is_list(address)} == set()
    assert picture() == before


@pytest.mark.parametrize("who", INSTRUCTORS)
def test_an_instructor_reads_of_no_learner_elsewhere(office: dict[str, Desk], who: str) -> None:
    desk = office[who]
    others = learners_elsewhere(desk)
    opened(desk)
    for link in desk.links():
        desk.open(link)

    told = {
        (address, name)
        for address, page in desk.opened.items()
        for name, email in others
        if name in page.text or email in page.text
    }

    assert len(others) > 15
    assert told == set()


@pytest.mark.parametrize("who", INSTRUCTORS)
def test_an_instructor_reaches_no_row_of_another_cohort(office: dict[str, Desk], who: str) -> None:
    desk, before, answers = office[who], picture(), {}
    for route, address in desk.addresses_unseen():
        answers[f"GET {route}"] = desk.client.get(address).status_code
        answers[f"POST {route}"] = desk.client.post(address, {}).status_code

    assert {call: status for call, status in answers.items() if status not in REFUSALS} == {}
    assert len(answers) > 100
    assert picture() == before
