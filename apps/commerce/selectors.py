"""Reads about shops, orders and where purchases lead."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Prefetch, Q, QuerySet

from apps.cohorts.models import Cohort, CohortStatus, EnrollmentState
from apps.cohorts.rules.seats import free_seats
from apps.commerce.models import (
    Entitlement,
    Order,
    OrderLine,
    Sellable,
    SourceSecret,
)
from apps.commerce.rules.choosing import Candidate
from apps.commerce.rules.mirroring import Mark, stage_of
from apps.commerce.signatures import key_of
from apps.commerce.vocabulary import EntitlementState, PaymentState
from apps.contacts.selectors import alias_ids
from apps.core.sealing import SealBroken, open_sealed

log = logging.getLogger(__name__)


def seal_owner(secret_id: UUID) -> str:
    """Return to what a webhook secret's seal is bound."""
    return f"commerce_source_secrets/{secret_id}"


def signing_keys(*, at: datetime) -> list[tuple[SourceSecret, bytes]]:
    """Return the secrets that webhooks may be signed with now, opened.

    One that does not open (another ASSAY_KEY) signs nothing: it is logged and passed over.
    """
    keys = []
    for secret in SourceSecret.objects.usable(at).select_related("source").order_by("id"):
        try:
            opened = open_sealed(bytes(secret.sealed or b""), bound_to=seal_owner(secret.id))
        except SealBroken:
            log.exception("webhook secret does not open", extra={"secret": str(secret.id)})
            continue
        keys.append((secret, key_of(opened.decode())))
    return keys


def open_cohorts(sellable: Sellable) -> QuerySet[Cohort]:
    """Return the cohorts into which this could lead; a cohort that is sold by itself whatever
    its status, so that enrolling can say why not.
    """
    if sellable.cohort_id is not None:
        return Cohort.objects.filter(pk=sellable.cohort_id)
    cohorts = Cohort.objects.filter(status=CohortStatus.OPEN)
    if sellable.program_id is not None:
        return cohorts.filter(program_version__definition_id=sellable.program_id)
    return cohorts.filter(
        program_version__courses__course_version__definition_id=sellable.course_id
    )


def candidates(sellable: Sellable, *, contact_id: UUID, at: datetime) -> list[Candidate]:
    """Return the cohorts in which this person could take it; call under the cohorts' locks.

    A course leads to self-paced cohorts only, or where the person takes it already. Cohorts whose
    last day is over are not offered, unless they are what is sold.
    """
    people = alias_ids(contact_id)
    enrolled = Q(enrollments__state=EnrollmentState.ENROLLED)
    waiting = Q(enrollments__state=EnrollmentState.WAITLISTED)
    own = Q(enrollments__contact_id__in=people)
    counted = open_cohorts(sellable).annotate(
        taken=Count("enrollments", filter=enrolled, distinct=True),
        queue=Count("enrollments", filter=waiting, distinct=True),
        own=Count("enrollments", filter=own & (enrolled | waiting), distinct=True),
    )
    found = []
    for cohort in counted:
        today = at.astimezone(ZoneInfo(cohort.timezone)).date()
        is_taken = cohort.own > 0
        is_over = cohort.ends_on is not None and cohort.ends_on < today
        is_offered = sellable.cohort_id is not None or not is_over
        if sellable.course_id is not None:
            is_offered = is_offered and cohort.is_self_paced
        if is_taken or is_offered:
            free = free_seats(capacity=cohort.capacity, taken=cohort.taken + cohort.queue)
            found.append(
                Candidate(
                    id=cohort.id,
                    starts_on=cohort.starts_on,
                    days_to_start=(cohort.starts_on - today).days,
                    is_self_paced=cohort.is_self_paced,
                    is_taken=is_taken,
                    free=free,
                )
            )
    return found


def current_entitlements(line_ids: Collection[UUID]) -> dict[UUID, Entitlement]:
    """Return line -> its newest entitlement, with the enrolment."""
    rows = (
        Entitlement.objects.filter(line_id__in=line_ids)
        .current()
        .select_related("enrollment", "sellable")
    )
    return {row.line_id: row for row in rows}


def is_paid_for_elsewhere(entitlement: Entitlement) -> bool:
    """Whether another line entitles to the same enrolment now."""
    others = Entitlement.objects.filter(enrollment_id=entitlement.enrollment_id).exclude(
        line_id=entitlement.line_id
    )
    return others.current().filter(state=EntitlementState.GRANTED).exists()


def mark_of(order: Order, lines: Iterable[OrderLine]) -> Mark:
    """Return where in its life the stored state of an order belongs."""
    states = [PaymentState(line.state) for line in lines]
    return Mark(order.revision, order.updated_at, stage_of(states))


def orders_with_lines() -> QuerySet[Order]:
    """Return orders with what the API and the back office show of them, in few statements."""
    return Order.objects.select_related("source", "buyer").prefetch_related(
        Prefetch("lines", queryset=lines_with_entitlements())
    )


def lines_with_entitlements() -> QuerySet[OrderLine]:
    """Return lines with their learners and their lines of entitlements, the newest last."""
    entitlements = Entitlement.objects.select_related("enrollment__cohort", "actor").order_by(
        "revision"
    )
    return OrderLine.objects.select_related(
        "learner", "sellable", "order", "dismissed_by"
    ).prefetch_related(Prefetch("entitlements", queryset=entitlements))
