"""`POST /v1/commerce/orders`, as a shop's library sends it."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext
from standardwebhooks import Webhook

from apps.cohorts.services import enroll
from apps.commerce.models import Order, WebhookDelivery
from apps.commerce.services import disable_source, receiving, rotate_secret
from apps.commerce.vocabulary import PaymentState
from apps.contacts.models import Contact
from apps.core.clock import now
from apps.core.tenancy import connection, tenant_context
from apps.organizations.models import Organization, OrgRole
from tests.clients import api, browser, problem_of
from tests.cohorts.factories import open_cohort, person
from tests.commerce.factories import (
    AT,
    PATH,
    Shop,
    enrollments,
    line,
    order,
    outcomes,
    payload,
    shop,
)
from tests.factories import member

pytestmark = pytest.mark.django_db


def log() -> list[tuple[str, str]]:
    """Return (outcome, code) of every delivery, in order."""
    return list(WebhookDelivery.objects.order_by("recorded_at").values_list("outcome", "code"))


# --- Accepted -----------------------------------------------------------------------------------


def test_a_paid_order_answers_what_came_of_each_line() -> None:
    cohort, own = open_cohort(), shop()
    sold = own.sells(cohort)

    answer = own.sends(payload(order(line(id="1"), line("NEW", id="2"))), webhook_id="msg_1")

    body = answer.json()
    assert answer.status_code == 200
    assert (body["webhook_id"], body["outcome"]) == ("msg_1", "applied")
    mirrored, delivery = Order.objects.get(), WebhookDelivery.objects.get()
    enrollment = cohort.enrollments.get()
    assert body["id"] == str(delivery.id)
    first, second = body["order"].pop("lines")
    assert {key: first[key] for key in ("sku", "outcome", "standing", "reason", "enrollment")} == {
        "sku": "RESPONDER",
        "outcome": "granted",
        "standing": "enrolled",
        "reason": "",
        "enrollment": {
            "id": str(enrollment.id),
            "cohort": str(cohort.id),
            "cohort_title": "Spring",
            "state": "enrolled",
        },
    }
    assert first["sellable"] == str(sold.id)
    assert (second["standing"], second["reason"], second["reason_detail"]) == (
        "unresolved",
        "sku-unknown",
        "NEW",
    )
    assert body["order"] == {
        "id": str(mirrored.id),
        "source": str(own.source.id),
        "external_id": "1001",
        "number": "#1001",
        "state": "paid",
        "currency": "EUR",
        "total": "120.0000",
        "buyer": str(mirrored.buyer_id),
        "buyer_email": "ada@example.org",
        "buyer_name": "Ada",
        "placed_at": None,
        "revision": None,
        "updated_at": "2026-03-02T12:00:00Z",
        "received_at": mirrored.received_at.isoformat().replace("+00:00", "Z"),
    }


def test_a_full_cohort_is_told_in_the_answer() -> None:
    cohort, own = open_cohort(capacity=1), shop()
    own.sells(cohort)
    enroll(cohort=cohort, contact=person("First"), actor=None, at=AT)

    [told] = own.sends(payload(order())).json()["order"]["lines"]

    assert (told["outcome"], told["standing"]) == ("granted", "waitlisted")
    assert told["enrollment"]["state"] == "waitlisted"


def test_the_delivery_is_on_record_without_what_was_in_it() -> None:
    own = shop()
    body = json.dumps(payload(order())).encode()

    own.sends(body, webhook_id="msg_1", at=now())

    row = WebhookDelivery.objects.get()
    assert (row.source, row.secret, row.order) == (
        own.source,
        own.source.secrets.get(),
        Order.objects.get(),
    )
    assert (row.webhook_id, row.type, row.outcome) == ("msg_1", "order.updated", "applied")
    assert row.body_sha256 == hashlib.sha256(body).hexdigest()
    assert row.body_bytes == len(body)


def test_a_webhook_that_comes_again_changes_nothing_and_says_so() -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)
    first = own.sends(payload(order()), webhook_id="msg_1").json()

    again = own.sends(payload(order()), webhook_id="msg_1").json()

    assert again["outcome"] == "duplicate"
    assert again["order"] == first["order"]
    assert enrollments(cohort) == ["enrolled"]
    assert log() == [("applied", ""), ("duplicate", "")]


def test_an_id_with_another_body_is_refused() -> None:
    own = shop()
    own.sends(payload(order()), webhook_id="msg_1")

    answer = own.sends(payload(order(id="1002")), webhook_id="msg_1")

    assert problem_of(answer) == (422, "urn:assay:problem:webhook-id-reused")
    assert Order.objects.count() == 1
    assert log() == [("applied", ""), ("refused", "webhook-id-reused")]


def test_late_and_repeated_states_are_acknowledged() -> None:
    own = shop()
    told = [order(minutes=5), order(minutes=1), order(minutes=5)]

    answers = [own.sends(payload(one)).json()["outcome"] for one in told]

    assert answers == ["applied", "stale", "unchanged"]
    assert Order.objects.get().updated_at == order(minutes=5).updated_at


def test_a_type_that_is_not_about_orders_is_ignored() -> None:
    answer = shop().sends({"type": "webhook.test", "anything": {"else": 1}})

    assert (answer.status_code, answer.json()["outcome"]) == (200, "ignored")
    assert answer.json()["order"] is None
    assert log() == [("ignored", "")]


@pytest.mark.parametrize("amount", ["19.99", 19.99, 20])
def test_amounts_are_kept_exactly(amount: Any) -> None:
    told = payload(order())
    told["data"]["total"] = amount

    shop().sends(told)

    assert str(Order.objects.get().total) in ("19.9900", "20.0000")


def test_a_second_secret_signs_while_the_first_runs_out() -> None:
    own = shop()
    new = rotate_secret(
        source=own.source, overlap=timedelta(hours=1), actor=person("Registrar"), at=now()
    )

    answers = [
        Shop(own.source, secret).sends(payload(order(id=secret[-8:])))
        for secret in (own.secret, new.text)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert set(WebhookDelivery.objects.values_list("secret", flat=True)) == set(
        own.source.secrets.values_list("id", flat=True)
    )


def test_two_shops_are_told_apart_by_their_signatures() -> None:
    one, two = shop(), shop(slug="other")

    for own in (one, two):
        own.sends(payload(order()), webhook_id="msg_1")

    assert list(Order.objects.order_by("received_at").values_list("source__slug", flat=True)) == [
        "shop",
        "other",
    ]


def test_a_shop_has_no_use_for_an_idempotency_key() -> None:
    own = shop()
    headers = {"idempotency-key": "k"}

    answers = [own.sends(payload(order(id=n)), headers=headers) for n in ("1", "2")]  # type: ignore[arg-type]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert Order.objects.count() == 2


# --- Refused ------------------------------------------------------------------------------------


def test_a_webhook_of_somebody_else_is_refused_and_on_record() -> None:
    own = shop()
    forger = Shop(own.source, "whsec_" + "A" * 44)

    answer = forger.sends(payload(order()))

    assert problem_of(answer) == (401, "urn:assay:problem:webhook-signature-invalid")
    assert answer["WWW-Authenticate"] == "StandardWebhooks"
    assert (Order.objects.count(), Contact.objects.count()) == (0, 0)
    [row] = WebhookDelivery.objects.all()
    assert (row.source, row.outcome, row.code) == (None, "refused", "webhook-signature-invalid")


def test_a_body_that_was_changed_on_its_way_is_refused() -> None:
    own, at = shop(), now()
    body = json.dumps(payload(order())).encode()
    headers = own.headers(body, webhook_id="msg_1", at=at)

    answer = api().post(
        PATH, body.replace(b"120.00", b"1.00"), content_type="application/json", headers=headers
    )

    assert answer.status_code == 401
    assert not Order.objects.exists()


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_webhook_out_of_its_time_is_refused(minutes: int) -> None:
    answer = shop().sends(payload(order()), at=now() + timedelta(minutes=minutes))

    assert problem_of(answer) == (401, "urn:assay:problem:webhook-timestamp-out-of-tolerance")
    assert log() == [("refused", "webhook-timestamp-out-of-tolerance")]


def test_a_secret_that_has_run_out_signs_nothing() -> None:
    own = shop()
    rotate_secret(
        source=own.source,
        overlap=timedelta(minutes=1),
        actor=person("Registrar"),
        at=now() - timedelta(hours=1),
    )

    assert own.sends(payload(order())).status_code == 401


def test_a_disabled_source_is_refused() -> None:
    own = shop()
    disable_source(source=own.source, actor=person("Registrar"), at=now())

    assert own.sends(payload(order())).status_code == 401


def test_a_shop_of_another_organisation_is_a_stranger_here(org_b: Organization) -> None:
    shop()
    with tenant_context(org_b):
        foreign = shop()

    answer = foreign.sends(payload(order()))

    assert answer.status_code == 401
    with tenant_context(org_b):
        assert (Order.objects.count(), WebhookDelivery.objects.count()) == (0, 0)


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_headers_that_are_missing_are_named(missing: str) -> None:
    body = json.dumps(payload(order())).encode()
    headers = shop().headers(body, webhook_id="msg_1", at=now())
    del headers[missing]

    answer = api().post(PATH, body, content_type="application/json", headers=headers)

    assert problem_of(answer) == (400, "urn:assay:problem:webhook-headers-missing")
    assert log() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"state": "lost"}, "data.state"),
        ({"buyer": {"email": "nobody"}}, "data.buyer.email"),
        ({"buyer": {"email": "a@example.org", "phone": "1"}}, "data.buyer.phone"),
        ({"lines": []}, "data.lines"),
        ({"lines": [{"id": "1"}]}, "data.lines.0.sku"),
        ({"total": "-1"}, "data.total"),
        ({"total": "NaN"}, "data.total"),
        ({"total": "1e40"}, "data.total"),
        ({"updated_at": "yesterday"}, "data.updated_at"),
        ({"revision": -1}, "data.revision"),
        ({"discount": "1"}, "data.discount"),
        ({"id": ""}, "data.id"),
    ],
)
def test_a_signed_order_that_is_malformed_is_refused_and_on_record(
    change: dict[str, Any], field: str
) -> None:
    own, told = shop(), payload(order())
    told["data"].update(change)

    answer = own.sends(told)

    assert problem_of(answer) == (422, "urn:assay:problem:invalid")
    assert field in [error["field"] for error in answer.json()["errors"]]
    [row] = WebhookDelivery.objects.all()
    assert (row.source, row.outcome, row.code) == (own.source, "refused", "invalid")
    assert field in row.detail
    assert (Order.objects.count(), Contact.objects.count()) == (0, 0)


def test_lines_with_the_same_id_are_refused() -> None:
    answer = shop().sends(payload(order(line(id="1"), line(id="1"))))

    assert [error["field"] for error in answer.json()["errors"]] == ["data.lines"]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 422), (b'"x"', 422), (b"\xff", 400), (b'{"type": 1e999}', 400)],
)
def test_a_signed_body_that_is_no_webhook_is_refused(body: bytes, status: int) -> None:
    own, at = shop(), now()
    signed = Webhook(own.secret).sign("m", at, body.decode("latin-1"))
    text = body if body != b"\xff" else body.decode("latin-1").encode()
    answer = api().post(
        PATH,
        text,
        content_type="application/json",
        headers={
            "webhook-id": "m",
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signed,
        },
    )

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert [outcome for outcome, _code in log()] == ["refused"]


def test_what_was_refused_may_come_again_and_be_accepted() -> None:
    own, told = shop(), payload(order())
    told["data"]["state"] = "lost"
    own.sends(told, webhook_id="msg_1")

    answer = own.sends(payload(order()), webhook_id="msg_1")

    assert answer.json()["outcome"] == "applied"


def test_a_body_that_is_too_large_is_refused() -> None:
    answer = shop().sends(b'{"type": "order.x", "pad": "' + b"x" * 1_000_000 + b'"}')

    assert problem_of(answer) == (413, "urn:assay:problem:too-large")


def test_strangers_fill_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "STRANGERS_KEPT", 3)
    forger = Shop(shop().source, "whsec_" + "A" * 44)

    answers = [forger.sends(payload(order())).status_code for _ in range(5)]

    assert answers == [401] * 5
    assert WebhookDelivery.objects.count() == 3


def test_a_signed_in_browser_is_no_shop() -> None:
    owner = browser(member(OrgRole.OWNER))

    answer = owner.post(PATH, json.dumps(payload(order())), content_type="application/json")

    assert answer.status_code == 400
    assert not Order.objects.exists()


def test_a_token_does_not_replace_the_signature() -> None:
    client = api(member(OrgRole.OWNER))

    answer = client.post(PATH, payload(order()), format="json")

    assert problem_of(answer) == (400, "urn:assay:problem:webhook-headers-missing")


# --- The learner sees it ------------------------------------------------------------------------


def test_an_enrolment_from_an_order_is_on_the_dashboard_as_any_other() -> None:
    cohort, own, learner = open_cohort(), shop(), member(email="ada@example.org", name="Ada")
    own.sells(cohort)

    own.sends(payload(order()))

    page = browser(learner).get("/").content.decode()
    assert "Spring" in page
    assert str(cohort.enrollments.get().id) in page


# --- How much it takes --------------------------------------------------------------------------


def test_statements_grow_with_the_lines_only() -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)
    own.sends(payload(order(id="warm")))
    taken = []
    for number, others in (("a", 0), ("b", 30)):
        for other in range(others):
            own.tells(order(id=f"o{other}", state=PaymentState.PENDING))
        with CaptureQueriesContext(connection) as captured:
            own.sends(payload(order(id=number)))
        taken.append(len(captured))

    assert taken[0] == taken[1]
    assert outcomes(Order.objects.get(external_id="b")) == [("granted", "")]
