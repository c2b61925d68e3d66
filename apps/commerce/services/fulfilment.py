"""What is paid for is granted; what is not paid for any more is withdrawn.

Granting enrols and withdrawing ends participation, both through cohorts' own services. Progress,
results and awards are not touched by either.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.cohorts.models import Cohort, CohortEnrollment, EnrollmentState
from apps.cohorts.services import enroll, lock_cohorts, withdraw
from apps.commerce.currencies import CODES
from apps.commerce.models import Entitlement, Order, OrderLine, Sellable
from apps.commerce.rules.choosing import choose
from apps.commerce.selectors import (
    candidates,
    current_entitlements,
    is_paid_for_elsewhere,
    open_cohorts,
)
from apps.commerce.vocabulary import (
    Effect,
    EntitlementState,
    LineOutcome,
    PaymentState,
    Reason,
)
from apps.contacts.models import Contact
from apps.contacts.selectors import alias_ids, survivor_id
from apps.contacts.services import lock_learners
from apps.core.problems import Problem
from apps.core.revisions import append_revision

WRITTEN = [
    "sku",
    "title",
    "quantity",
    "amount",
    "state",
    "position",
    "beneficiary_email",
    "beneficiary_name",
    "learner",
    "sellable",
    "outcome",
    "reason",
    "reason_detail",
    "outcome_at",
    "dismissed_by",
    "dismissed_because",
]


class _Refusal(Exception):
    """Why a line can't be granted now."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


def fulfil(
    *,
    order: Order,
    lines: Sequence[OrderLine],
    actor: Contact | None,
    at: datetime,
    also_dismissed: bool = False,
) -> None:
    """Bring what the lines entitle to in line with their states, and store them.

    Call under the order's lock. All cohorts are locked first, then all learners, each in the
    order of their ids. A line that can't be granted is unresolved, with the reason: it never
    keeps another from being granted. Dismissed lines stay so while they are paid, unless
    `also_dismissed`.
    """
    current = current_entitlements([line.id for line in lines])
    sellables = {
        sellable.sku: sellable
        for sellable in Sellable.objects.filter(
            source_id=order.source_id, sku__in={line.sku for line in lines}
        )
    }
    _lock(lines, current, sellables)
    for line in lines:
        standing = current.get(line.id)
        if standing is not None and standing.state == EntitlementState.GRANTED:
            if _is_still_due(line, standing):
                _decide(line, LineOutcome.GRANTED, at=at)
                continue
            standing = _withdraw(standing, actor=actor, at=at)
        if line.state == PaymentState.PAID:
            if also_dismissed or line.outcome != LineOutcome.DISMISSED:
                _try_to_grant(order, line, sellables.get(line.sku), standing, actor=actor, at=at)
        elif standing is not None:
            _decide(line, LineOutcome.WITHDRAWN, at=at)
        else:
            is_open = line.state == PaymentState.PENDING
            _decide(line, LineOutcome.WAITING if is_open else LineOutcome.CANCELLED, at=at)
    for line in lines:
        line.save(update_fields=WRITTEN)


def _lock(
    lines: Sequence[OrderLine],
    current: dict[UUID, Entitlement],
    sellables: dict[str, Sellable],
) -> None:
    cohorts = {entitlement.enrollment.cohort_id for entitlement in current.values()}
    for sellable in sellables.values():
        cohorts.update(open_cohorts(sellable).values_list("id", flat=True))
    lock_cohorts(cohorts)
    learners = {line.learner_id for line in lines}
    lock_learners(learners | {entitlement.contact_id for entitlement in current.values()})


def _is_still_due(line: OrderLine, granted: Entitlement) -> bool:
    """Whether the line is paid and still for the same thing and person."""
    if line.state != PaymentState.PAID or granted.sellable.sku != line.sku:
        return False
    return granted.contact_id in alias_ids(survivor_id(line.learner_id))


def _try_to_grant(
    order: Order,
    line: OrderLine,
    sellable: Sellable | None,
    before: Entitlement | None,
    *,
    actor: Contact | None,
    at: datetime,
) -> None:
    line.sellable = sellable
    try:
        found = _checked(order, line, sellable)
        with transaction.atomic():
            _grant(line, found, before, actor=actor, at=at)
    except _Refusal as refusal:
        _decide(line, LineOutcome.UNRESOLVED, refusal.reason, refusal.detail, at=at)
    except Problem as problem:
        detail = problem.detail or problem.title
        _decide(line, LineOutcome.UNRESOLVED, problem.code, detail, at=at)
    else:
        _decide(line, LineOutcome.GRANTED, at=at)


def _checked(order: Order, line: OrderLine, sellable: Sellable | None) -> Sellable:
    """Return what is sold under the line's SKU; raises _Refusal."""
    accepted = order.source.currencies
    if order.currency not in CODES:
        raise _Refusal(Reason.CURRENCY_UNKNOWN, order.currency)
    if accepted and order.currency not in accepted:
        raise _Refusal(
            Reason.CURRENCY_NOT_ACCEPTED, f"{order.currency}, not one of {', '.join(accepted)}"
        )
    if sellable is None:
        raise _Refusal(Reason.SKU_UNKNOWN, line.sku)
    if sellable.archived_at is not None:
        raise _Refusal(Reason.SELLABLE_ARCHIVED, line.sku)
    if line.quantity != 1:
        raise _Refusal(Reason.SEVERAL_OF_ONE, str(line.quantity))
    return sellable


def _grant(
    line: OrderLine,
    sellable: Sellable,
    before: Entitlement | None,
    *,
    actor: Contact | None,
    at: datetime,
) -> None:
    """Enrol the learner and say so; raises _Refusal and what `enroll` raises."""
    learner = Contact.objects.get(pk=survivor_id(line.learner_id))
    chosen = choose(candidates(sellable, contact_id=learner.id, at=at))
    if chosen is None:
        is_course = sellable.course_id is not None
        raise _Refusal(Reason.NO_SELF_PACED_COHORT if is_course else Reason.NO_OPEN_COHORT)
    cohort = Cohort.objects.get(pk=chosen)
    taking = CohortEnrollment.objects.filter(
        cohort=cohort,
        contact_id__in=alias_ids(learner.id),
        state__in=(EnrollmentState.ENROLLED, EnrollmentState.WAITLISTED),
    )
    effect = Effect.FOUND if taking.exists() else Effect.JOINED
    enrollment = enroll(cohort=cohort, contact=learner, actor=actor, at=at)
    append_revision(
        Entitlement,
        expected=before.revision if before else 0,
        line=line,
        sellable=sellable,
        contact_id=enrollment.contact_id,
        enrollment=enrollment,
        state=EntitlementState.GRANTED,
        effect=effect,
        actor=actor,
    )


def _withdraw(granted: Entitlement, *, actor: Contact | None, at: datetime) -> Entitlement:
    """Return the withdrawal of a grant; the enrolment ends with it if it began by an order, and
    no other order pays for it.
    """
    enrollment = CohortEnrollment.objects.get(pk=granted.enrollment_id)
    if not enrollment.is_active:
        effect = Effect.OVER_BEFORE
    elif is_paid_for_elsewhere(granted):
        effect = Effect.KEPT_FOR_ANOTHER
    elif not enrollment.entitlements.filter(effect=Effect.JOINED).exists():
        effect = Effect.KEPT_FROM_BEFORE
    else:
        effect = Effect.LEFT
        withdraw(enrollment=enrollment, actor=actor, at=at)
    return append_revision(
        Entitlement,
        expected=granted.revision,
        line_id=granted.line_id,
        sellable_id=granted.sellable_id,
        contact_id=granted.contact_id,
        enrollment_id=granted.enrollment_id,
        state=EntitlementState.WITHDRAWN,
        effect=effect,
        actor=actor,
    )


def _decide(
    line: OrderLine, outcome: LineOutcome, reason: str = "", detail: str = "", *, at: datetime
) -> None:
    """Set what came of a line; the moment stays while that stays."""
    if (line.outcome, line.reason) != (outcome, reason) or line.outcome_at is None:
        line.outcome_at = at
    line.outcome, line.reason, line.reason_detail = outcome, reason, detail[:500]
    line.dismissed_by, line.dismissed_because = None, ""
