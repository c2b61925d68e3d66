"""Every address of /v1, pages and back office, on A's host with B's ids: not found, no change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.core.cache import cache

from apps.contacts.models import Contact
from apps.core.clock import now
from apps.core.tenancy import connection, tenant_context
from apps.demo.content import ORGANIZATIONS
from apps.demo.loading import load
from apps.demo.people import open_accounts
from apps.organizations.models import OrgRole
from apps.programs.models import Course
from apps.search.models import SearchDocument
from tests.clients import api, browser
from tests.conftest import organization, point_at
from tests.database import ORG_A, ORG_B, Server
from tests.factories import member
from tests.walls.endpoints import WORDS, Endpoint, endpoints, named_by
from tests.walls.world import MARK, complete_what_the_demo_lacks, mark_b, picture, some_row

WALLS = "assay_walls"
METHODS = ("get", "post", "put", "patch", "delete")

# What must be well formed before a row is looked for.
BODIES: dict[str, Any] = {
    "v1/attempts/<uuid:attempt_id>/responses/<uuid:item_id>": {"value": True, "sequence": 1},
    "v1/attempts/<uuid:attempt_id>/responses": {
        "responses": [{"item": str(ORG_B), "value": True, "sequence": 1}]
    },
}


@pytest.fixture(scope="module")
def full_b(
    server: Server,
    django_db_setup: None,
    django_db_blocker: Any,
) -> Iterator[Server]:
    """A database in which only B has anything; A has an owner."""
    with server.clone(WALLS) as name, django_db_blocker.unblock():
        point_at(server, name)
        plan = ORGANIZATIONS[0]
        open_accounts(one.email for one in plan.members)
        with tenant_context(organization(ORG_B)):
            load(plan, now=now(), drain=True, say=lambda line: None)
            complete_what_the_demo_lacks()
        with tenant_context(organization(ORG_A)):
            member(OrgRole.OWNER)
        try:
            yield server
        finally:
            connection.close()
            point_at(server, "assay_test")


def value_in_b(endpoint: Endpoint, name: str) -> str:
    """Return what this parameter is for a row of B; fails for an address that is not covered."""
    if name in WORDS:
        return WORDS[name]
    with tenant_context(organization(ORG_B)):
        if name == "slug":
            return Course.objects.all()[0].slug
        model = named_by(endpoint, name)
        row = some_row(model)
        assert row is not None, f"{endpoint.route}: the demo has no {model._meta.label}"
        return str(row.pk)


def calls(endpoint: Endpoint) -> Iterator[tuple[str, Any]]:
    """Call an address with B's ids on A's host, as A's owner, by every method."""
    path = endpoint.path({name: value_in_b(endpoint, name) for name in endpoint.parameters})
    owner = Contact.objects.filter(user_id__isnull=False).order_by("id").last()
    client = api(owner) if endpoint.route.startswith("v1/") else browser(owner)
    # Django keeps an old address of each row that leads to its page.
    follow = {"follow": True} if endpoint.route.endswith("/<path:object_id>/") else {}
    for method in METHODS:
        cache.clear()
        answer = getattr(client, method)(path, BODIES.get(endpoint.route), **follow)
        yield f"{method.upper()} /{endpoint.route}", answer


def test_an_address_with_ids_of_b_is_not_found_on_the_host_of_a(full_b: Server) -> None:
    with tenant_context(organization(ORG_B)):
        before = picture()
    answers: dict[str, int] = {}
    with tenant_context(organization(ORG_A)):
        for endpoint in endpoints():
            for call, answer in calls(endpoint):
                answers[call] = answer.status_code
        own = picture()

    with tenant_context(organization(ORG_B)):
        assert picture() == before
    assert {call: code for call, code in answers.items() if code not in (404, 405)} == {}
    assert set(answers.values()) == {404, 405}
    changed = {
        "crm_contacts",
        "crm_contact_channels",
        "admin_actions",
        "api_tokens",
    }  # A's owner, and who signed in
    assert {table for table, (rows, _digest) in own.items() if rows} <= changed


def test_a_search_in_a_finds_nothing_of_b(full_b: Server) -> None:
    with tenant_context(organization(ORG_B)):
        words = [row.title for row in SearchDocument.objects.order_by("id")[:20]]
        plan = next(one for one in ORGANIZATIONS[0].members if one.role == OrgRole.OWNER)
        staff = Contact.objects.get(display_name=plan.name)
        of_b = [found_by(staff, title) for title in words]
    with tenant_context(organization(ORG_A)):
        assert not SearchDocument.objects.exists()
        of_a = [found_by(member(OrgRole.OWNER), title) for title in words]

    assert min(of_b) > 0
    assert set(of_a) == {0}


def found_by(person: Contact, text: str) -> int:
    """Return how much somebody finds by API, page and back office, which must agree."""
    answer = api(person).get("/v1/search", {"q": text}).json()
    office = browser(person).get("/admin/search/searchdocument/", {"q": text})
    assert office.status_code == 200
    assert (b'class="hits"' in office.content) == bool(answer["count"])
    count: int = answer["count"]
    return count


def test_the_same_ids_in_both_show_and_change_nothing_of_b(full_b: Server) -> None:
    with psycopg.connect(full_b.superuser_url, dbname=WALLS, autocommit=True) as superuser:
        mark_b(superuser)
    with tenant_context(organization(ORG_B)):
        before = picture()
    leaks, faults, found = [], [], 0
    with tenant_context(organization(ORG_A)):
        for endpoint in endpoints():
            for call, answer in calls(endpoint):
                found += answer.status_code == 200
                if MARK.encode() in b"".join(answer):
                    leaks.append(call)
                if answer.status_code >= 500:
                    faults.append(call)

    with tenant_context(organization(ORG_B)):
        assert picture() == before
    assert (leaks, faults) == ([], [])
    assert found > 100, "the same ids should be found in A"
