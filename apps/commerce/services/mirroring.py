"""Orders as shops tell them: the newest state is kept, older ones change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction

from apps.commerce.models import Order, OrderLine, Source
from apps.commerce.rules.mirroring import Standing, standing
from apps.commerce.selectors import mark_of
from apps.commerce.services.fulfilment import fulfil
from apps.commerce.told import Person, ToldLine, ToldOrder
from apps.commerce.vocabulary import DeliveryOutcome, PaymentState
from apps.contacts.models import Contact
from apps.contacts.services import find_or_create_contact, normalized_email
from apps.core.revisions import violates


@transaction.atomic
def mirror_order(*, source: Source, told: ToldOrder, at: datetime) -> tuple[DeliveryOutcome, Order]:
    """Return what became of a told state, and the order as it is now.

    Lines that are told no more are cancelled. People who are not known become contacts.
    """
    order = _locked(source, told)
    if order is None:
        people = _people(told)
        order = _made(source, told, people)
        if order is not None:
            _mirror_lines(order, [], told, people, at=at)
            return DeliveryOutcome.APPLIED, order
        order = _locked(source, told)  # somebody else has made it at the same moment
        if order is None:
            raise Order.DoesNotExist
    lines = list(order.lines.all())
    told_ids = {line.external_id for line in told.lines}
    gone = sum(line.external_id not in told_ids for line in lines)
    how = standing(mark_of(order, lines), told.mark(gone=gone))
    if how is Standing.OLDER:
        return DeliveryOutcome.STALE, order
    if how is Standing.SAME:
        return DeliveryOutcome.UNCHANGED, order
    people = _people(told)
    _write(order, told, people)
    order.save()
    _mirror_lines(order, lines, told, people, at=at)
    return DeliveryOutcome.APPLIED, order


def _locked(source: Source, told: ToldOrder) -> Order | None:
    orders = Order.objects.select_for_update(of=("self",)).select_related("source")
    return orders.filter(source=source, external_id=told.external_id).first()


def _made(source: Source, told: ToldOrder, people: Mapping[str, Contact]) -> Order | None:
    """Return the new order; None if there is one already that could not be seen before."""
    order = Order(source=source, external_id=told.external_id)
    _write(order, told, people)
    try:
        with transaction.atomic():
            order.save(force_insert=True)
    except IntegrityError as error:
        if not violates(error, "order_once_per_source"):
            raise
        return None
    return order


def _write(order: Order, told: ToldOrder, people: Mapping[str, Contact]) -> None:
    order.number = told.number
    order.state = told.state
    order.currency = told.currency
    order.total = told.total
    order.buyer = people[normalized_email(told.buyer.email)]
    order.buyer_email, order.buyer_name = told.buyer.email, told.buyer.name
    order.placed_at = told.placed_at or order.placed_at
    # A state without a number keeps the last one, by which later states are still compared.
    order.revision = order.revision if told.revision is None else told.revision
    order.updated_at = told.updated_at


def _people(told: ToldOrder) -> dict[str, Contact]:
    """Return address -> contact of everybody in the order, made where there was none.

    In the order of the addresses, so that two orders of the same people don't deadlock.
    """
    named: dict[str, Person] = {}
    for person in [told.buyer, *(line.beneficiary for line in told.lines if line.beneficiary)]:
        email = normalized_email(person.email)
        if email not in named or not named[email].name:
            named[email] = person
    return {
        email: find_or_create_contact(email=email, display_name=named[email].name or email)
        for email in sorted(named)
    }


def _mirror_lines(
    order: Order,
    known: list[OrderLine],
    told: ToldOrder,
    people: Mapping[str, Contact],
    *,
    at: datetime,
) -> None:
    by_id = {line.external_id: line for line in known}
    new = []
    for position, line in enumerate(told.lines):
        row = by_id.pop(line.external_id, None)
        if row is None:
            row = OrderLine(order=order, source_id=order.source_id, external_id=line.external_id)
            new.append(row)
        _write_line(row, told, line, people)
        row.position = position
    for row in by_id.values():
        row.state = PaymentState.CANCELLED
    for row in new:
        row.save(force_insert=True)
    fulfil(order=order, lines=[*known, *new], actor=None, at=at)


def _write_line(
    row: OrderLine, told: ToldOrder, line: ToldLine, people: Mapping[str, Contact]
) -> None:
    for_whom = line.beneficiary or told.buyer
    row.sku, row.title = line.sku, line.title
    row.quantity, row.amount = line.quantity, line.amount
    row.state = told.state_of(line)
    row.beneficiary_email = line.beneficiary.email if line.beneficiary else ""
    row.beneficiary_name = line.beneficiary.name if line.beneficiary else ""
    row.learner = people[normalized_email(for_whom.email)]
