"""Which sessions somebody may see, and what a list of them shows."""

from __future__ import annotations

from django.db.models import Prefetch, Q, QuerySet

from apps.ai_logs.models import AiContent, AiInteraction, AiInteractionCost, AiSession
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


def is_own(session: AiSession, principal: Principal) -> bool:
    """Whether the caller, under any of their aliases, had this conversation."""
    return session.contact_id is not None and session.contact_id in alias_ids(principal.contact_id)
