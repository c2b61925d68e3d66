"""Lines that a person has to look at: tried again, or dismissed with a reason."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.commerce.models import Order, OrderLine
from apps.commerce.services.fulfilment import fulfil
from apps.commerce.vocabulary import LineOutcome
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.problems import Conflict, Invalid

OPEN = (LineOutcome.UNRESOLVED, LineOutcome.DISMISSED)


class LineNotOpen(Conflict):
    code = "line-not-unresolved"
    title = "There is nothing to resolve about this line."


class DismissalUnexplained(Invalid):
    code = "dismissal-unexplained"
    title = "Say why nothing follows from this line."


@transaction.atomic
def retry_line(*, line: OrderLine, actor: Contact, at: datetime) -> OrderLine:
    """Return the line after another attempt to grant it, also one that was dismissed.

    Still unresolved it carries the reason of this attempt. Raises LineNotOpen.
    """
    order, found = _locked(line)
    fulfil(order=order, lines=[found], actor=actor, at=at, also_dismissed=True)
    details = {"outcome": found.outcome, "reason": found.reason}
    record_admin_action(actor=actor, action="orderline.retried", entity=found, details=details)
    return found


@transaction.atomic
def dismiss_line(*, line: OrderLine, actor: Contact, because: str, at: datetime) -> OrderLine:
    """Return the line, from which nothing follows: somebody has settled it in another way.

    Raises LineNotOpen, DismissalUnexplained.
    """
    if not because.strip():
        raise DismissalUnexplained
    _order, found = _locked(line)
    found.outcome, found.outcome_at = LineOutcome.DISMISSED, at
    found.dismissed_by, found.dismissed_because = actor, because.strip()
    found.save(update_fields=["outcome", "outcome_at", "dismissed_by", "dismissed_because"])
    details = {"reason": found.reason, "because": found.dismissed_because}
    record_admin_action(actor=actor, action="orderline.dismissed", entity=found, details=details)
    return found


def _locked(line: OrderLine) -> tuple[Order, OrderLine]:
    """Return the order under its lock, and the line as it is then; raises LineNotOpen."""
    orders = Order.objects.select_for_update(of=("self",)).select_related("source")
    order = orders.get(pk=line.order_id)
    found = OrderLine.objects.select_related("learner").get(pk=line.pk)
    if found.outcome not in OPEN:
        raise LineNotOpen
    return order, found
