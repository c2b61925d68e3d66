"""Back office of sales: pages that work, forms that call services, nothing for strangers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.commerce.models import Order, OrderLine, Sellable, Source, SourceSecret
from apps.commerce.selectors import signing_keys
from apps.commerce.signatures import key_of
from apps.commerce.told import Person
from apps.commerce.vocabulary import PaymentState
from apps.contacts.models import AdminAction, Contact
from apps.core.clock import now
from apps.core.tenancy import connection, tenant_context
from apps.organizations.models import Organization, OrgRole
from tests.clients import browser
from tests.cohorts.factories import open_cohort
from tests.commerce.factories import Shop, enrollments, line, order, outcomes, payload, shop
from tests.factories import member

pytestmark = pytest.mark.django_db

MODELS = ["source", "sellable", "order", "orderline", "webhookdelivery"]


@pytest.fixture
def registrar() -> Contact:
    return member(OrgRole.ADMIN, name="Registrar")


@pytest.fixture
def own() -> Shop:
    """A shop with one order: a line that was granted, and one that was not."""
    made = shop("EUR")
    made.sells(open_cohort())
    made.sends(payload(order(line(id="1"), line("NEW", id="2"))))
    return made


def url(model: str, verb: str, *args: Any) -> str:
    return reverse(f"admin:commerce_{model}_{verb}", args=args)


def rows(own: Shop) -> dict[str, Any]:
    return {
        "source": own.source.pk,
        "sellable": Sellable.objects.get().pk,
        "order": Order.objects.get().pk,
        "orderline": OrderLine.objects.get(external_id="2").pk,
        "webhookdelivery": own.source.deliveries.get().pk,
    }


def messages(client: Client, page: Any) -> list[str]:
    """Follow a redirect and return what the next page tells."""
    answer = client.get(page.url.partition("#")[0])
    return [str(message) for message in answer.context["messages"]]


# --- Who sees what ------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [OrgRole.OWNER, OrgRole.ADMIN, OrgRole.AUDITOR])
@pytest.mark.parametrize("model", MODELS)
def test_every_list_and_page_opens_for_staff(own: Shop, model: str, role: str) -> None:
    client = browser(member(role))

    assert client.get(url(model, "changelist")).status_code == 200
    page = client.get(url(model, "change", rows(own)[model]), follow=True)
    assert page.status_code == 200


@pytest.mark.parametrize("role", [OrgRole.INSTRUCTOR, OrgRole.LEARNER])
@pytest.mark.parametrize("model", MODELS)
def test_nothing_opens_for_others(own: Shop, model: str, role: str) -> None:
    client = browser(member(role))

    for page in (url(model, "changelist"), url(model, "change", rows(own)[model])):
        assert client.get(page, follow=True).status_code in (403, 404)


def test_who_only_looks_is_offered_nothing_to_do(own: Shop) -> None:
    client, ids = browser(member(OrgRole.AUDITOR)), rows(own)
    secret = SourceSecret.objects.get()

    for page in (
        url("source", "add"),
        url("source", "edit", ids["source"]),
        url("source", "rotate", ids["source"]),
        url("source", "disable", ids["source"]),
        url("source", "enable", ids["source"]),
        url("source", "revoke", ids["source"], secret.pk),
        url("orderline", "retry", ids["orderline"]),
        url("orderline", "dismiss", ids["orderline"]),
    ):
        assert client.post(page).status_code in (403, 404), page
    shown = client.get(url("order", "change", ids["order"])).content.decode()
    assert "Try again" not in shown
    assert "Rotate" not in client.get(url("source", "change", ids["source"])).content.decode()


def test_rows_of_another_organisation_are_not_found(
    registrar: Contact, org_b: Organization
) -> None:
    with tenant_context(org_b):
        foreign = shop()
        foreign.sells(open_cohort())
        foreign.tells(order(line("NEW")))
        foreign.sends(payload(order(minutes=1)))
        ids = {
            "source": foreign.source.pk,
            "sellable": Sellable.objects.get().pk,
            "order": Order.objects.get().pk,
            "orderline": OrderLine.objects.first().pk,  # type: ignore[union-attr]
            "webhookdelivery": foreign.source.deliveries.get().pk,
        }
    client = browser(registrar)

    for model in MODELS:
        assert client.get(url(model, "change", ids[model])).status_code == 404
    for verb in ("edit", "rotate", "disable", "enable"):
        assert client.post(url("source", verb, ids["source"])).status_code == 404
    for verb in ("retry", "dismiss"):
        assert client.post(url("orderline", verb, ids["orderline"])).status_code == 404


# --- Sources ------------------------------------------------------------------------------------


def test_the_secret_of_a_new_source_is_shown_once(registrar: Contact) -> None:
    client = browser(registrar)

    made = client.post(
        url("source", "add"), {"title": "Web shop", "slug": "web", "currencies": "eur, chf"}
    )

    source = Source.objects.get()
    [(_row, key)] = signing_keys(at=now())
    secret = made.context["secret"]
    assert (source.title, source.currencies) == ("Web shop", ["CHF", "EUR"])
    assert key_of(secret) == key
    assert "no-store" in made["Cache-Control"]
    assert secret in made.content.decode()
    shown = client.get(url("source", "change", source.pk)).content.decode()
    assert secret not in shown
    assert secret[:10] in shown
    assert "http://a.localhost/v1/commerce/orders" in shown


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"slug": "shop"}, "slug"),
        ({"currencies": "Euro"}, "currencies"),
        ({"title": ""}, "title"),
    ],
)
def test_a_source_that_makes_no_sense_is_told_in_the_form(
    own: Shop, registrar: Contact, typed: dict[str, str], field: str
) -> None:
    given = {"title": "Web shop", "slug": "web", "currencies": ""}

    page = browser(registrar).post(url("source", "add"), {**given, **typed})

    assert list(page.context["form"].errors) == [field]
    assert Source.objects.count() == 1


def test_a_source_is_changed(own: Shop, registrar: Contact) -> None:
    client = browser(registrar)
    page = url("source", "edit", own.source.pk)
    assert 'value="EUR"' in client.get(page).content.decode()

    client.post(page, {"title": "Kiosk", "currencies": ""})

    changed = Source.objects.get()
    assert (changed.title, changed.currencies) == ("Kiosk", [])


def test_rotation_shows_the_new_secret_and_lets_the_old_one_run_out(
    own: Shop, registrar: Contact
) -> None:
    client = browser(registrar)
    assert client.get(url("source", "rotate", own.source.pk)).status_code == 200

    page = client.post(url("source", "rotate", own.source.pk), {"overlap": "week"})

    keys = [key for _row, key in signing_keys(at=now())]
    assert keys == [key_of(own.secret), key_of(page.context["secret"])]
    assert [key for _row, key in signing_keys(at=now() + timedelta(days=8))] == keys[1:]


def test_a_secret_is_revoked_after_asking(own: Shop, registrar: Contact) -> None:
    client, secret = browser(registrar), SourceSecret.objects.get()
    page = url("source", "revoke", own.source.pk, secret.pk)

    asked = client.get(page)
    before = len(signing_keys(at=now()))
    done = client.post(page)
    again = client.post(page)

    assert "from this moment on" in asked.content.decode()
    assert (before, signing_keys(at=now())) == (1, [])
    assert messages(client, done) == ["Revoked.", "This secret was revoked before."]
    assert again.status_code == 302
    shown = client.get(url("source", "change", own.source.pk)).content.decode()
    assert "there is no secret in use" in shown


def test_a_secret_of_another_source_is_not_found(own: Shop, registrar: Contact) -> None:
    other = shop(slug="other").source.secrets.get()

    page = browser(registrar).post(url("source", "revoke", own.source.pk, other.pk))

    assert page.status_code == 404
    assert len(signing_keys(at=now())) == 2


def test_a_source_is_disabled_and_enabled(own: Shop, registrar: Contact) -> None:
    client = browser(registrar)

    client.post(url("source", "disable", own.source.pk))
    refused = own.sends(payload(order(minutes=1))).status_code
    client.post(url("source", "enable", own.source.pk))

    assert (refused, own.sends(payload(order(minutes=1))).status_code) == (401, 200)


# --- Sellables ----------------------------------------------------------------------------------


def test_a_sellable_is_made_and_changed_by_its_form(own: Shop, registrar: Contact) -> None:
    client, cohort = browser(registrar), Sellable.objects.get().cohort
    assert cohort is not None
    program = cohort.program_version.definition
    form = {"source": own.source.pk, "sku": "SPRING", "title": "Spring", "cohort": cohort.pk}

    client.post(url("sellable", "add"), form)
    made = Sellable.objects.get(sku="SPRING")
    client.post(
        url("sellable", "change", made.pk),
        {"sku": "SPRING-2", "title": "Spring", "program": program.pk},
    )

    made.refresh_from_db()
    assert (made.sku, made.kind, made.target, made.source) == (
        "SPRING-2",
        "program",
        program,
        own.source,
    )
    told = AdminAction.objects.filter(action__startswith="sellable", actor=registrar)
    assert list(told.order_by("recorded_at").values_list("action", flat=True)) == [
        "sellable.created",
        "sellable.changed",
    ]


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ({"cohort": ""}, "Choose exactly one of program, cohort and course."),
        ({"sku": "RESPONDER"}, "There is a sellable with the same source and SKU already."),
    ],
)
def test_a_sellable_that_makes_no_sense_is_told_in_the_form(
    own: Shop, registrar: Contact, typed: dict[str, str], complaint: str
) -> None:
    cohort = Sellable.objects.get().cohort_id
    form = {"source": own.source.pk, "sku": "X", "title": "X", "cohort": str(cohort), **typed}

    page = browser(registrar).post(url("sellable", "add"), form)

    assert page.status_code == 200
    assert complaint in page.content.decode()
    assert Sellable.objects.count() == 1


def test_sellables_are_archived_revived_and_only_then_removed(
    own: Shop, registrar: Contact
) -> None:
    client, sold = browser(registrar), Sellable.objects.get()
    never = own.sells(sold.cohort, sku="NEVER")

    def act(action: str) -> Any:
        data = {"action": action, "_selected_action": [sold.pk, never.pk]}
        return client.post(url("sellable", "changelist"), data)

    archived = messages(client, act("archive"))
    after = {sellable.archived_at is not None for sellable in Sellable.objects.all()}
    act("revive")
    client.post(url("sellable", "delete", never.pk), {"post": "yes"})
    kept = client.post(url("sellable", "delete", sold.pk), {"post": "yes"})

    assert (archived, after) == (["2 sellables changed."], {True})
    assert kept.status_code == 403
    assert list(Sellable.objects.values_list("pk", "archived_at")) == [(sold.pk, None)]


# --- Orders and what waits ----------------------------------------------------------------------


def test_the_page_of_an_order_tells_what_it_caused(own: Shop, registrar: Contact) -> None:
    own.sends(
        payload(order(line(id="1", state=PaymentState.REFUNDED), line("NEW", id="2"), minutes=1))
    )

    page = browser(registrar).get(url("order", "change", Order.objects.get().pk))

    first, second = page.context["lines"]
    assert first["standing"] == ("", "withdrawn")
    assert [one.effect for one in page.context["entitlements"]] == ["left", "joined"]
    assert second["standing"] == ("bad", "unresolved")
    assert second["reason"] == "Nothing is sold here under this SKU. (NEW)"
    text = page.content.decode()
    assert [
        words
        for words in ("120.00 EUR", "Spring", "ended the enrolment", "applied")
        if words not in text
    ] == []


def test_who_waits_is_shown_as_waiting(registrar: Contact) -> None:
    made = shop()
    made.sells(open_cohort(capacity=1))
    made.tells(order(id="1"))
    waiting = made.tells(order(id="2", buyer=Person("bob@example.org", "Bob")))

    page = browser(registrar).get(url("order", "change", waiting.pk))

    assert [row["standing"] for row in page.context["lines"]] == [("warn", "waitlisted")]


def test_the_list_of_lines_begins_with_what_waits(own: Shop, registrar: Contact) -> None:
    client = browser(registrar)

    def shown(query: str = "") -> list[str]:
        listed = client.get(url("orderline", "changelist") + query).context["cl"].result_list
        return sorted(row.external_id for row in listed)

    assert (shown(), shown("?outcome=granted"), shown("?outcome=all")) == (
        ["2"],
        ["1"],
        ["1", "2"],
    )


def test_lines_are_tried_again_together(own: Shop, registrar: Contact) -> None:
    client, cohort = browser(registrar), Sellable.objects.get().cohort
    assert cohort is not None
    own.tells(order(line("OTHER"), id="2", buyer=Person("bob@example.org", "Bob")))
    own.sells(cohort, sku="OTHER")

    page = client.post(
        url("orderline", "changelist"),
        {
            "action": "retry",
            "_selected_action": list(OrderLine.objects.values_list("pk", flat=True)),
        },
    )

    assert messages(client, page) == ["1 of 2 lines were granted."]
    assert outcomes(Order.objects.get(external_id="2")) == [("granted", "")]
    assert enrollments(cohort, "bob@example.org") == ["enrolled"]


def test_a_line_is_tried_again_from_its_order(own: Shop, registrar: Contact) -> None:
    client, waiting = browser(registrar), OrderLine.objects.get(external_id="2")
    page = url("orderline", "retry", waiting.pk)

    still = messages(client, client.post(page))
    own.sells(Sellable.objects.get().cohort, sku="NEW")
    granted = messages(client, client.post(page))
    again = messages(client, client.post(page))

    assert still == ["Not yet: Nothing is sold here under this SKU. (NEW)"]
    assert granted == ["Granted."]
    assert again[0] == "There is nothing to resolve about this line."
    assert client.get(page).status_code == 404


def test_a_line_is_dismissed_with_a_reason(own: Shop, registrar: Contact) -> None:
    client, waiting = browser(registrar), OrderLine.objects.get(external_id="2")
    page = url("orderline", "dismiss", waiting.pk)

    unexplained = client.post(page, {"because": " "})
    client.post(page, {"because": "Paid back by hand"})

    assert list(unexplained.context["form"].errors) == ["because"]
    waiting.refresh_from_db()
    assert (waiting.outcome, waiting.dismissed_by) == ("dismissed", registrar)
    shown = client.get(url("order", "change", waiting.order_id)).content.decode()
    assert "Registrar: Paid back by hand" in shown


@pytest.mark.parametrize("model", MODELS)
def test_lists_take_the_same_statements_at_2_and_at_20_rows(
    own: Shop, registrar: Contact, model: str
) -> None:
    client, cohort = browser(registrar), Sellable.objects.get().cohort
    taken = []
    for count in (2, 20):
        for number in range(count):
            name = f"{count}-{number}"
            buyer = Person(f"{name}@example.org")
            own.sends(payload(order(line("NEW"), id=name, buyer=buyer)))
            own.sells(cohort, sku=name)
            shop(slug=name)
        client.get(url(model, "changelist"))
        with CaptureQueriesContext(connection) as captured:
            client.get(url(model, "changelist"))
        taken.append(len(captured))

    assert taken[0] == taken[1]
