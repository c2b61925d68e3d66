"""Budgets: the sum that is kept, the mail that is sent once, and the end of new calls."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from apps.ai_logs.models import (
    AiBudget,
    AiBudgetAlert,
    AiInteraction,
    AiMonthSpend,
    AiPendingSpan,
    AiSession,
)
from apps.ai_logs.rules.budgets import OwnBudget, Standing, month_of, next_month, seconds_left
from apps.ai_logs.selectors.budgets import spent_by_costs, spent_in, standing
from apps.ai_logs.services.budgets import (
    ALERT,
    BudgetBeyondPlan,
    BudgetOfThePast,
    owe_alert,
    set_budget,
)
from apps.ai_logs.services.prices import PriceTerms, enter_price
from apps.ai_logs.services.repricing import apply_cost_changes, cost_changes
from apps.ai_logs.services.spans import flush_pending
from apps.ai_logs.services.spending import rebuild_spending
from apps.ai_logs.tasks import watch_budgets
from apps.contacts.models import AdminAction, Contact
from apps.core.clock import now
from apps.core.models import OutboxMessage
from apps.core.outbox import deliver
from apps.organizations.models import OrgRole
from apps.organizations.plans import agree_limit
from tests.ai_logs.factories import MODEL, NOON, answered, record, session
from tests.ai_logs.test_otlp import call, send, span
from tests.clients import api, browser, problem_of
from tests.cohorts.threads import at_once
from tests.factories import contact, member

pytestmark = pytest.mark.django_db

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
CALL = Decimal("0.00027")  # 1000 × 0.15 + 200 × 0.6 in millionths


@pytest.fixture
def admin() -> Contact:
    return member(OrgRole.ADMIN, name="Registrar")


@pytest.fixture
def ingest(admin: Contact) -> APIClient:
    return api(admin, scopes=("ingest_ai",))


def plan_allows(amount: Decimal | None) -> None:
    organization_id = connection.tenant.id
    with connection.platform():
        agree_limit(
            organization_id=organization_id,
            name="ai_budget",
            amount=amount,
            reason="Tested",
            actor_id=None,
        )


def budget(admin: Contact, amount: Decimal | None, **said: Any) -> AiBudget:
    said = {"alert_percent": Decimal(80), "is_hard_stop": True, "at": NOON, **said}
    said.setdefault("month", month_of(said["at"]))
    return set_budget(amount=amount, actor=admin, **said)


def spend(times: int, *, at: datetime = NOON) -> None:
    record(session().id, *(answered(f"Answer {n}", occurred_at=at) for n in range(times)))


# --- Rules --------------------------------------------------------------------------------------

amounts = st.none() | st.decimals(0, 1000, places=2)


@given(plan=amounts, own=amounts, spent=st.decimals(0, 2000, places=6), is_stop=st.booleans())
def test_a_stop_is_never_below_the_lower_limit(
    plan: Decimal | None, own: Decimal | None, spent: Decimal, is_stop: bool
) -> None:
    found = Standing(MARCH, spent, 0, plan, OwnBudget(own, Decimal(50), is_stop))

    limits = [one for one in (plan, own) if one is not None]
    assert found.limit == (min(limits) if limits else None)
    assert (found.stop_at is None) == (plan is None and (own is None or not is_stop))
    if found.stop_at is not None and found.limit is not None:
        assert found.stop_at >= found.limit
    assert not found.is_stopped or spent >= min(limits)
    assert not found.is_alarming or spent * 2 >= min(limits)


@given(st.integers(0, 4_000_000_000).map(partial(datetime.fromtimestamp, tz=UTC)))
def test_the_wait_leads_into_the_next_month(moment: datetime) -> None:
    wait = seconds_left(moment)

    assert month_of(moment + timedelta(seconds=wait)) == next_month(month_of(moment))
    assert month_of(moment + timedelta(seconds=wait - 2)) == month_of(moment)


# --- The sum ------------------------------------------------------------------------------------


def test_what_is_recorded_is_added_to_its_own_month() -> None:
    spend(2)
    spend(1, at=NOON + timedelta(days=40))
    record(session().id, answered("?", responded_model="nobody-knows", requested_model=""))

    assert spent_in(MARCH) == (2 * CALL, 1)
    assert spent_in(APRIL) == (CALL, 0)
    assert spent_by_costs() == {MARCH: (2 * CALL, 1), APRIL: (CALL, 0)}


def test_re_pricing_moves_the_sum_along(admin: Contact) -> None:
    spend(2)
    record(session().id, answered("?", responded_model="house-model", requested_model=""))
    terms = PriceTerms("openai", MODEL, "input", date(2026, 1, 1), Decimal(1), "USD")
    enter_price(terms=terms, actor=admin)
    for kind in ("input", "output"):
        own = PriceTerms("openai", "house-model", kind, date(2026, 1, 1), Decimal(1), "USD")
        enter_price(terms=own, actor=admin)
    apply_cost_changes(cost_changes())

    assert spent_in(MARCH)[1] >= 0
    assert {MARCH: spent_in(MARCH)} == spent_by_costs()


def test_the_sum_is_right_whoever_records_at_once(own_database: str) -> None:
    sessions = [session().id for _ in range(8)]

    at_once(
        *(partial(record, one, *(answered(f"Answer {n}") for n in range(5))) for one in sessions)
    )

    assert spent_in(MARCH) == (40 * CALL, 0)
    assert spent_by_costs() == {MARCH: (40 * CALL, 0)}


def test_a_rebuild_gives_the_same_sum_and_mends_a_wrong_one() -> None:
    spend(3)
    assert rebuild_spending() == 0
    AiMonthSpend.objects.update(amount=7)

    assert rebuild_spending() == 1
    assert spent_in(MARCH) == (3 * CALL, 0)


def test_the_database_refuses_days_within_a_month() -> None:
    for model, fields in (
        (AiMonthSpend, {"month": NOON.date(), "part": 0, "amount": 0, "unpriced": 0}),
        (AiBudgetAlert, {"month": NOON.date(), "spent": 1, "allowed": 1, "recipients": 1}),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            model._default_manager.create(**fields)


# --- What may be spent --------------------------------------------------------------------------


def test_the_lower_of_plan_and_own_counts(admin: Contact) -> None:
    plan_allows(Decimal(10))
    assert (standing(at=NOON).limit, standing(at=NOON).stop_at) == (10, 10)
    budget(admin, Decimal(4), is_hard_stop=False)
    assert (standing(at=NOON).limit, standing(at=NOON).stop_at) == (4, 10)
    assert standing(at=NOON).alert_at == Decimal("3.2")
    plan_allows(Decimal(3))
    assert standing(at=NOON).limit == 3
    plan_allows(None)
    budget(admin, None)
    assert (standing(at=NOON).limit, standing(at=NOON).stop_at) == (None, None)


def test_an_own_budget_holds_from_its_month_on_and_is_on_record(admin: Contact) -> None:
    budget(admin, Decimal(2), month=APRIL)
    budget(admin, Decimal(3), month=APRIL)

    assert standing(at=NOON).own is None
    assert AiBudget.objects.count() == 1
    later = standing(at=NOON + timedelta(days=70)).own
    assert later == OwnBudget(Decimal(3), Decimal(80), True)
    told = AdminAction.objects.filter(action="aibudget.set").order_by("id")
    assert [(one.details["before"], one.details["amount"]) for one in told] == [
        (None, "2"),
        ("2.00", "3"),
    ]


def test_a_budget_is_not_more_than_the_plan_and_not_of_the_past(admin: Contact) -> None:
    plan_allows(Decimal(10))
    with pytest.raises(BudgetBeyondPlan, match=r"allows \$ 10.00"):
        budget(admin, Decimal(11))
    with pytest.raises(BudgetOfThePast):
        budget(admin, Decimal(1), month=date(2026, 2, 1))
    assert not AiBudget.objects.exists()


# --- The mail -----------------------------------------------------------------------------------


def owed() -> int:
    return OutboxMessage.objects.filter(topic=ALERT).count()


def spend_at_work(admin: Contact) -> None:
    """Spend 81 % of this month's budget."""
    at = now()
    budget(admin, CALL.quantize(Decimal("0.01")) + Decimal("0.01"), at=at, is_hard_stop=False)
    spend(30, at=at)


def test_administrators_are_told_once_a_month(
    admin: Contact, mailoutbox: list[mail.EmailMessage]
) -> None:
    member(OrgRole.OWNER)
    member(OrgRole.INSTRUCTOR)
    spend_at_work(admin)
    tenant = connection.tenant

    assert (watch_budgets(), watch_budgets()) == (1, 1)
    connection.set_tenant(tenant)
    deliver(ALERT, month_of(now()).isoformat())
    assert owe_alert(at=now()) is False
    deliver(ALERT, month_of(now()).isoformat())

    assert owed() == 0
    addresses = [address for message in mailoutbox for address in message.to]
    assert len(addresses) == len(set(addresses)) == 2
    assert "81 %" in mailoutbox[0].subject
    alert = AiBudgetAlert.objects.get()
    assert (alert.month, alert.spent, alert.recipients) == (month_of(now()), 30 * CALL, 2)


def test_nobody_is_told_below_the_share(admin: Contact) -> None:
    budget(admin, Decimal("0.01"), at=now())
    spend(29, at=now())

    assert owe_alert(at=now()) is False


def test_recording_owes_the_mail_in_its_own_transaction(admin: Contact, ingest: APIClient) -> None:
    spend_at_work(admin)
    made = session()
    ingest.post(f"/v1/ai/sessions/{made.id}/interactions", {"role": "user", "content": "Hello"})

    assert owed() == 1


# --- The stop -----------------------------------------------------------------------------------


@pytest.fixture
def spent(admin: Contact) -> AiSession:
    """A session in an organisation whose budget is used up."""
    at = now()
    made = session(started_at=at - timedelta(minutes=1))
    record(made.id, answered("Last", occurred_at=at, trace_id="a" * 32, span_id="b" * 16))
    budget(admin, Decimal(0), at=at)
    return made


def test_new_sessions_and_messages_are_refused_and_known_ones_answered(
    spent: AiSession, ingest: APIClient
) -> None:
    path = f"/v1/ai/sessions/{spent.id}/interactions"
    known = {"role": "assistant", "trace_id": "a" * 32, "span_id": "b" * 16}
    begun = ingest.post("/v1/ai/sessions", {"contact": str(contact().id)})
    said = ingest.post(path, {"role": "user", "content": "More?"})
    again = ingest.post(path, known)
    many = ingest.post(path, [known, {"role": "user", "content": "More?"}], format="json")

    assert problem_of(begun) == problem_of(said) == (429, "urn:assay:problem:ai-budget-spent")
    wait = int(said["Retry-After"])
    assert 0 < wait <= 31 * 86_400 + 1
    body = said.json()
    assert (body["allowed"], body["spent"], body["retry_after_seconds"]) == (
        "0.00",
        "0.000270",
        wait,
    )
    assert (again.status_code, again.json()["outcome"]) == (200, "repeated")
    assert [one["outcome"] for one in many.json()["outcomes"]] == ["repeated", "refused"]
    assert (AiSession.objects.count(), AiInteraction.objects.count()) == (1, 1)


def test_a_known_conversation_is_found_while_nothing_new_begins(
    ingest: APIClient, admin: Contact
) -> None:
    body = {"contact": str(contact().id), "conversation_id": "chat-1"}
    first = ingest.post("/v1/ai/sessions", body)
    spend(1, at=now())
    budget(admin, Decimal(0), at=now())

    assert ingest.post("/v1/ai/sessions", body).json()["id"] == first.json()["id"]


def test_without_a_hard_stop_nothing_is_refused(ingest: APIClient, admin: Contact) -> None:
    plan_allows(None)
    spend(1, at=now())
    budget(admin, Decimal(0), at=now(), is_hard_stop=False)

    assert ingest.post("/v1/ai/sessions", {"contact": str(contact().id)}).status_code == 201


def test_otlp_rejects_new_calls_and_keeps_what_it_accepted(
    ingest: APIClient, admin: Contact
) -> None:
    waiting = call("First?", "One.")
    answer = send(ingest, span(2, waiting, parent=1))
    assert (answer.partial_success.rejected_spans, AiPendingSpan.objects.count()) == (0, 1)
    spend(1, at=now())
    budget(admin, Decimal(0), at=now())
    before = AiSession.objects.count()

    refused = send(ingest, span(3, call("Second?", "Two."), trace=9)).partial_success
    assert refused.rejected_spans == 1
    assert "AI budget" in refused.error_message or "are spent" in refused.error_message
    assert AiSession.objects.count() == before
    assert AiPendingSpan.objects.count() == 1

    assert flush_pending(at=now() + timedelta(days=1)) == 1
    assert AiInteraction.objects.filter(span_id=f"{2:016x}").count() == 1
    sent_again = send(ingest, span(2, waiting, parent=1)).partial_success
    assert sent_again.rejected_spans == 0
    assert AiInteraction.objects.filter(span_id=f"{2:016x}").count() == 1


def test_recording_takes_as_many_statements_for_two_as_for_twenty(
    ingest: APIClient, count_statements: Callable[[Callable[[], Any]], int]
) -> None:
    path = f"/v1/ai/sessions/{session().id}/interactions"

    def post(count: int, word: str) -> Any:
        said = [{"role": "assistant", "content": f"{word} {n}"} for n in range(count)]
        return ingest.post(path, said, format="json")

    post(1, "warm")
    few = count_statements(lambda: post(2, "few"))

    assert count_statements(lambda: post(20, "many")) == few


# --- /v1 and back office ------------------------------------------------------------------------


def test_the_budget_is_told_and_set_over_the_api(admin: Contact) -> None:
    plan_allows(Decimal(10))
    client = api(admin)
    set_ = client.put("/v1/ai/budget", {"amount": "4.00", "is_hard_stop": True})
    told = client.get("/v1/ai/budget").json()

    assert set_.status_code == 200
    assert set_.json() == told
    assert [Decimal(told[name]) for name in ("plan", "own", "limit", "alert_at", "stop_at")] == [
        10,
        4,
        4,
        Decimal("3.2"),
        4,
    ]
    assert (told["is_stopped"], told["unpriced"]) == (False, 0)
    assert client.put("/v1/ai/budget", {"amount": "11"}).status_code == 422
    assert client.put("/v1/ai/budget", {"amount": "1", "month": "2020-05-05"}).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"amount": "-1"},
        {"amount": "much"},
        {"amount": "1", "alert_percent": "0"},
        {"amount": "1", "alert_percent": "101"},
        {"amount": "1", "currency": "EUR"},
        {"amount": "1" * 20},
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(admin: Contact, body: dict[str, Any]) -> None:
    assert api(admin).put("/v1/ai/budget", body).status_code == 422
    assert not AiBudget.objects.exists()


@pytest.mark.parametrize(
    ("role", "read", "write"),
    [
        (OrgRole.AUDITOR, 200, 403),
        (OrgRole.INSTRUCTOR, 403, 403),
        (OrgRole.LEARNER, 403, 403),
    ],
)
def test_who_may_read_and_set_the_budget(role: str, read: int, write: int) -> None:
    client = api(member(role))

    assert client.get("/v1/ai/budget").status_code == read
    assert client.put("/v1/ai/budget", {"amount": "1"}).status_code == write


LIST, ADD = "admin:ai_logs_aibudget_changelist", "admin:ai_logs_aibudget_add"


def test_the_page_shows_the_month_and_takes_a_budget(admin: Contact) -> None:
    spend(2, at=now())
    plan_allows(Decimal(10))
    client = browser(admin)
    assert b"of $ 10.00" in client.get(reverse(LIST)).content
    form = {"month": month_of(now()).isoformat(), "amount": "2.50", "alert_percent": "60"}

    too_much = client.post(reverse(ADD), {**form, "amount": "12"})
    done = client.post(reverse(ADD), {**form, "is_hard_stop": "on"})

    assert (too_much.status_code, set(too_much.context["form"].errors)) == (200, {"amount"})
    assert done.url == reverse(LIST)
    page = client.get(done.url).content
    assert b"of $ 2.50" in page
    assert b"at $ 1.50 (60 %)" in page
    assert b"at $ 2.50 new conversations" in page


def test_only_who_manages_settings_sets_the_budget() -> None:
    auditor, instructor = browser(member(OrgRole.AUDITOR)), browser(member(OrgRole.INSTRUCTOR))

    assert auditor.get(reverse(LIST)).status_code == 200
    assert auditor.post(reverse(ADD), {}).status_code == 403
    assert instructor.get(reverse(LIST)).status_code == 403
