"""/v1/commerce for staff, and what learners see of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext

from apps.commerce.models import OrderLine, Sellable
from apps.commerce.services import change_sellable
from apps.commerce.told import Person
from apps.commerce.vocabulary import PaymentState
from apps.contacts.models import AdminAction, Contact
from apps.core.ids import uuid7
from apps.core.tenancy import connection, tenant_context
from apps.organizations.models import Organization, OrgRole
from tests.clients import api, problem_of
from tests.cohorts.factories import open_cohort
from tests.commerce.factories import AT, Shop, enrollments, line, order, shop
from tests.factories import member

pytestmark = pytest.mark.django_db

V1 = "/v1/commerce"


@pytest.fixture
def registrar() -> Contact:
    return member(OrgRole.ADMIN, name="Registrar")


@pytest.fixture
def own() -> Shop:
    made = shop("EUR")
    made.sells(open_cohort())
    return made


def addresses(own: Shop) -> list[str]:
    mirrored = own.tells(order())
    [sold] = Sellable.objects.all()
    [row] = mirrored.lines.all()
    return [
        f"{V1}/sources/{own.source.id}",
        f"{V1}/sellables/{sold.id}",
        f"{V1}/orders/{mirrored.id}",
        f"{V1}/order-lines/{row.id}",
        f"{V1}/entitlements/{row.entitlements.get().id}",
    ]


@pytest.mark.parametrize("role", [OrgRole.OWNER, OrgRole.ADMIN, OrgRole.AUDITOR])
def test_staff_read_everything(own: Shop, role: str) -> None:
    client, one_each = api(member(role)), addresses(own)

    for path in one_each:
        row = client.get(path).json()
        listed = client.get(path.rpartition("/")[0]).json()["results"]
        assert listed == [row], path


@pytest.mark.parametrize("role", [OrgRole.INSTRUCTOR, OrgRole.LEARNER, None])
def test_others_read_none_of_it(own: Shop, role: str | None) -> None:
    client = api(member(role) if role else None)

    for path in addresses(own)[:-1]:
        for one in (path, path.rpartition("/")[0]):
            assert client.get(one).status_code == (403 if role else 401), one


def test_learners_see_their_own_entitlements(own: Shop) -> None:
    ada, eve = member(email="ada@example.org"), member()
    path = addresses(own)[-1]

    assert api(ada).get(path).json()["contact"] == str(ada.id)
    assert len(api(ada).get(f"{V1}/entitlements").json()["results"]) == 1
    assert api(eve).get(path).status_code == 404
    assert api(eve).get(f"{V1}/entitlements").json()["results"] == []


def test_a_row_of_another_organisation_is_not_found(
    own: Shop, registrar: Contact, org_b: Organization
) -> None:
    with tenant_context(org_b):
        foreign = shop()
        foreign.sells(open_cohort())
        paths = addresses(foreign)
    client = api(registrar)

    assert [client.get(path).status_code for path in paths] == [404] * 5
    line_path, sold = paths[3], paths[1]
    assert client.post(f"{line_path}/retry").status_code == 404
    assert client.post(f"{line_path}/dismiss", {"because": "x"}).status_code == 404
    assert client.patch(sold, {"title": "x"}).status_code == 404
    assert client.delete(sold).status_code == 404


# --- Sellables ----------------------------------------------------------------------------------


def test_a_sellable_is_made_changed_archived_and_removed(own: Shop, registrar: Contact) -> None:
    client, cohort = api(registrar), Sellable.objects.get().cohort
    assert cohort is not None
    made = client.post(
        f"{V1}/sellables",
        {"source": own.source.id, "sku": "SPRING", "title": "Spring", "cohort": cohort.id},
    )
    path = f"{V1}/sellables/{made.json()['id']}"

    program = cohort.program_version.definition_id
    changed = client.patch(path, {"cohort": None, "program": program, "is_archived": True})
    revived = client.patch(path, {"is_archived": False})
    removed = client.delete(path)

    assert (made.status_code, made.json()["kind"]) == (201, "cohort")
    assert (changed.json()["kind"], changed.json()["is_archived"]) == ("program", True)
    assert revived.json()["is_archived"] is False
    assert removed.status_code == 204
    assert client.get(path).status_code == 404
    told = AdminAction.objects.filter(action__startswith="sellable.", actor=registrar)
    assert list(told.order_by("recorded_at").values_list("action", flat=True)) == [
        "sellable.created",
        "sellable.changed",
        "sellable.changed",
        "sellable.deleted",
    ]


def test_a_sellable_made_again_under_its_key_is_the_same(own: Shop, registrar: Contact) -> None:
    client, cohort = api(registrar), Sellable.objects.get().cohort
    assert cohort is not None
    body = {"source": own.source.id, "sku": "X", "title": "X", "cohort": cohort.id}

    one, two = (
        client.post(f"{V1}/sellables", body, headers={"Idempotency-Key": "k"}) for _ in range(2)
    )

    assert one.json() == two.json()
    assert (two.status_code, two["Idempotency-Replayed"]) == (201, "true")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"sku": "RESPONDER"}, 409, "sku-taken"),
        ({"cohort": None}, 422, "sellable-invalid"),
        ({"cohort": str(uuid7())}, 422, "invalid"),
        ({"source": str(uuid7())}, 422, "invalid"),
        ({"sku": ""}, 422, "invalid"),
        ({"price": 1}, 422, "invalid"),
    ],
)
def test_a_sellable_that_makes_no_sense_is_refused(
    own: Shop, registrar: Contact, change: dict[str, Any], status: int, code: str
) -> None:
    cohort = Sellable.objects.get().cohort_id
    body = {"source": str(own.source.id), "sku": "X", "title": "X", "cohort": str(cohort)}

    answer = api(registrar).post(f"{V1}/sellables", {**body, **change}, format="json")

    assert problem_of(answer) == (status, f"urn:assay:problem:{code}")
    assert Sellable.objects.count() == 1


def test_the_source_of_a_sellable_is_chosen_once(own: Shop, registrar: Contact) -> None:
    other = shop(slug="other").source
    path = f"{V1}/sellables/{Sellable.objects.get().id}"

    answer = api(registrar).patch(path, {"source": other.id})

    assert [error["code"] for error in answer.json()["errors"]] == ["fixed"]


def test_what_was_ordered_is_not_removed(own: Shop, registrar: Contact) -> None:
    own.tells(order())

    answer = api(registrar).delete(f"{V1}/sellables/{Sellable.objects.get().id}")

    assert problem_of(answer) == (409, "urn:assay:problem:sellable-ordered")


def test_an_outdated_change_is_refused(own: Shop, registrar: Contact) -> None:
    client, sold = api(registrar), Sellable.objects.get()
    path = f"{V1}/sellables/{sold.id}"
    tag = client.get(path)["ETag"]
    change_sellable(sellable=sold, actor=registrar, title="Meanwhile")

    assert client.patch(path, {"title": "Late"}, headers={"If-Match": tag}).status_code == 412


def test_an_auditor_changes_nothing(own: Shop) -> None:
    client, sold = api(member(OrgRole.AUDITOR)), Sellable.objects.get()

    assert client.post(f"{V1}/sellables", {}).status_code == 403
    assert client.patch(f"{V1}/sellables/{sold.id}", {"title": "x"}).status_code == 403
    assert client.delete(f"{V1}/sellables/{sold.id}").status_code == 403


# --- Lines that wait for a person ---------------------------------------------------------------


def test_unresolved_lines_are_found_retried_and_granted(own: Shop, registrar: Contact) -> None:
    client = api(registrar)
    own.tells(order(line("NEW")))
    [row] = client.get(f"{V1}/order-lines?outcome=unresolved").json()["results"]

    still = client.post(f"{V1}/order-lines/{row['id']}/retry")
    cohort = Sellable.objects.get().cohort
    own.sells(cohort, sku="NEW")
    granted = client.post(f"{V1}/order-lines/{row['id']}/retry")
    again = client.post(f"{V1}/order-lines/{row['id']}/retry")

    assert (still.status_code, still.json()["reason"]) == (200, "sku-unknown")
    assert (granted.json()["standing"], granted.json()["reason"]) == ("enrolled", "")
    assert problem_of(again) == (409, "urn:assay:problem:line-not-unresolved")
    assert cohort is not None
    assert enrollments(cohort) == ["enrolled"]


def test_a_line_is_dismissed_with_a_reason(own: Shop, registrar: Contact) -> None:
    client = api(registrar)
    own.tells(order(line("NEW")))
    path = f"{V1}/order-lines/{OrderLine.objects.get().id}/dismiss"

    unexplained = client.post(path, {"because": " "})
    dismissed = client.post(path, {"because": "Paid back by hand"})

    assert unexplained.status_code == 422
    assert (dismissed.json()["standing"], dismissed.json()["dismissed_because"]) == (
        "dismissed",
        "Paid back by hand",
    )


def test_who_only_looks_resolves_nothing(own: Shop) -> None:
    own.tells(order(line("NEW")))
    path = f"{V1}/order-lines/{OrderLine.objects.get().id}"
    client = api(member(OrgRole.AUDITOR))

    assert client.post(f"{path}/retry").status_code == 403
    assert client.post(f"{path}/dismiss", {"because": "x"}).status_code == 403


# --- Filters and statements ---------------------------------------------------------------------


def test_orders_are_found_by_what_a_shop_calls_them(own: Shop, registrar: Contact) -> None:
    client = api(registrar)
    own.tells(order(id="1"))
    own.tells(order(id="2", state=PaymentState.REFUNDED))

    def found(query: str) -> list[str]:
        return [row["external_id"] for row in client.get(f"{V1}/orders?{query}").json()["results"]]

    assert (found("external_id=2"), found("state=paid"), found("number=%232")) == (
        ["2"],
        ["1"],
        ["2"],
    )
    assert found(f"source={uuid7()}") == []


@pytest.mark.parametrize("path", ["orders", "order-lines", "entitlements", "sellables"])
def test_lists_take_the_same_statements_at_2_and_at_20_rows(
    own: Shop, registrar: Contact, path: str
) -> None:
    client, cohort = api(registrar), Sellable.objects.get().cohort
    taken = []
    for count in (2, 20):
        for number in range(count):
            buyer = Person(f"{count}-{number}@example.org")
            own.tells(order(id=f"{count}-{number}", buyer=buyer))
            own.sells(cohort, sku=f"{count}-{number}")
        client.get(f"{V1}/{path}")
        with CaptureQueriesContext(connection) as captured:
            rows = client.get(f"{V1}/{path}").json()["results"]
        assert len(rows) >= count
        taken.append(len(captured))

    assert taken[0] == taken[1]


def test_an_order_shows_its_lines_in_their_order(own: Shop, registrar: Contact) -> None:
    mirrored = own.tells(order(line(id="b"), line("NEW", id="a")), at=AT)

    shown = api(registrar).get(f"{V1}/orders/{mirrored.id}").json()

    assert [row["external_id"] for row in shown["lines"]] == ["b", "a"]
    assert [row["standing"] for row in shown["lines"]] == ["enrolled", "unresolved"]
