"""Which sessions somebody may see, and what a list of them shows."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from apps.ai_logs.models import (
    AiContent,
    AiErasure,
    AiFeedback,
    AiInteraction,
    AiInteractionCost,
    AiSafetyReview,
    AiSession,
)
from apps.ai_logs.pricelist import CURRENCY
from apps.ai_logs.vocabulary import ReviewState
from apps.contacts.capabilities import Capability
from apps.contacts.principal import Principal
from apps.contacts.selectors import alias_ids


def _visible(principal: Principal, *, session: str) -> Q:
    """Return the condition on rows whose session is at the lookup `session` ("" for itself).

    One's own; those of the cohorts one staffs; all of them for who sees every cohort.
    """
    own = Q(**{f"{session}contact__in": alias_ids(principal.contact_id)})
    if not principal.has(Capability.READ_CONVERSATIONS):
        return own
    if principal.visible_cohorts is None:
        return Q()
    return own | Q(**{f"{session}enrollment__cohort__in": principal.cohort_ids})


def visible_sessions(principal: Principal) -> QuerySet[AiSession]:
    """Return the sessions that the caller may read."""
    return AiSession.objects.filter(_visible(principal, session=""))


def visible_interactions(principal: Principal) -> QuerySet[AiInteraction]:
    """Return the messages of those sessions."""
    return AiInteraction.objects.filter(_visible(principal, session="session__"))


def visible_contents(principal: Principal) -> QuerySet[AiContent]:
    """Return the texts and artefacts of those sessions."""
    return AiContent.objects.filter(_visible(principal, session="session__"))


def with_costs(rows: QuerySet[AiInteraction]) -> QuerySet[AiInteraction]:
    """Return the rows with `current_costs`: a list of the one cost that counts, or of none."""
    current = AiInteractionCost.objects.current()
    return rows.prefetch_related(Prefetch("costs", queryset=current, to_attr="current_costs"))


def unpriced(rows: QuerySet[AiInteraction]) -> QuerySet[AiInteraction]:
    """Return the calls whose cost is unknown."""
    unknown = AiInteractionCost.objects.current().filter(amount=None)
    return rows.filter(id__in=unknown.values("interaction_id"))


def with_totals(rows: QuerySet[AiSession]) -> QuerySet[Any]:
    """Return the sessions with what they add up to, each counted by itself.

    `messages`; `cost_usd` of the calls whose price in US dollars is known, and how many are
    `unpriced`; whether the session `is_erased` and `is_under_review`.
    """
    said = AiInteraction.objects.filter(session=OuterRef("pk")).order_by().values("session")
    costs = AiInteractionCost.objects.current().filter(interaction__session=OuterRef("pk"))
    in_dollars = Q(amount__isnull=False, currency=CURRENCY)
    priced = costs.filter(in_dollars).order_by().values("interaction__session")
    unknown = costs.exclude(in_dollars).order_by().values("interaction__session")
    found: QuerySet[Any] = with_states(rows).annotate(
        messages=Coalesce(Subquery(said.annotate(n=Count("id")).values("n")), 0),
        cost_usd=Subquery(priced.annotate(total=Sum("amount")).values("total")),
        unpriced=Coalesce(Subquery(unknown.annotate(n=Count("id")).values("n")), 0),
    )
    return found


def with_states(rows: QuerySet[AiSession]) -> QuerySet[Any]:
    """Return the sessions with whether each `is_erased` and `is_under_review`."""
    reviews = AiSafetyReview.objects.filter(
        interaction__session=OuterRef("pk"), state=ReviewState.OPEN
    )
    return rows.annotate(
        is_erased=Exists(AiErasure.objects.filter(session=OuterRef("pk"))),
        is_under_review=Exists(reviews),
    )


def log_of(session: AiSession) -> QuerySet[Any]:
    """Return the messages by their numbers, with `current_costs` and `opinions`, without texts."""
    feedback = AiFeedback.objects.current().select_related("contact").order_by("id")
    rows = with_costs(AiInteraction.objects.filter(session=session)).order_by("seq")
    return rows.prefetch_related(Prefetch("feedback", queryset=feedback, to_attr="opinions"))


def is_own(session: AiSession, principal: Principal) -> bool:
    """Whether the caller, under any of their aliases, had this conversation."""
    return session.contact_id is not None and session.contact_id in alias_ids(principal.contact_id)
