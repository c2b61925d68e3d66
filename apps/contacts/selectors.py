"""Reads about people that span rows."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Q
from django.db.models.functions import Coalesce

from apps.contacts import ports
from apps.contacts.models import Contact
from apps.contacts.principal import Principal
from apps.core.tenancy import connection
from apps.organizations.identity import recall
from apps.organizations.models import MembershipStatus, OrgMembership, OrgRole


def alias_ids(contact_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the contact's id and those of everybody merged into it, in id order."""
    return sorted(alias_ids_of([contact_id])[contact_id])


def alias_ids_of(contact_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, set[uuid.UUID]]:
    """Return contact -> {itself and its aliases}, in one statement.

    A merge always points at the final survivor (`services.merge_contacts` re-points older
    aliases), so that one step is enough.
    """
    wanted = set(contact_ids)
    aliases = {contact_id: {contact_id} for contact_id in wanted}
    for alias, survivor in survivors_of_aliases(wanted).items():
        aliases[survivor].add(alias)
    return aliases


def of_person(contact_id: uuid.UUID, *, field: str = "contact") -> Q:
    """Return the condition that `field` names this contact, or one that was merged into it."""
    return Q(**{field: contact_id}) | Q(**{f"{field}__merged_into": contact_id})


def survivors_of_aliases(contact_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """Return alias -> survivor for everybody merged into one of these contacts."""
    merged = Contact.objects.filter(merged_into_id__one_of=contact_ids)
    return dict(merged.values_list("id", "merged_into_id"))


def survivor_id(contact_id: uuid.UUID) -> uuid.UUID:
    """Return the contact that now stands for this one: itself, or what it was merged into."""
    merged = Contact.objects.filter(pk=contact_id).values_list("merged_into_id", flat=True).first()
    survivor: uuid.UUID | None = merged
    return contact_id if survivor is None else survivor


def is_own_work(*, actor_id: uuid.UUID, learner_id: uuid.UUID) -> bool:
    """Whether both are the same person, by any of their aliases."""
    if actor_id == learner_id:
        return True
    people = Contact.objects.filter(Q(pk=actor_id) | Q(pk=learner_id))
    survivors = people.values_list(Coalesce("merged_into_id", "id"), flat=True)
    return len(set(survivors)) == 1


def org_role_of(user_id: uuid.UUID) -> str:
    """Return the user's active role in the organisation in force, or "" for a stranger."""
    identity = recall(connection.schema_name, user_id)
    if identity is not None:
        return identity.org_role
    roles = OrgMembership.objects.filter(
        user_id=user_id, organization_id=connection.tenant.id, status=MembershipStatus.ACTIVE
    )
    return roles.values_list("org_role", flat=True).first() or ""


def principal_of_user(user_id: uuid.UUID) -> Principal | None:
    """Return who this user is in the organisation in force, or None for a stranger.

    A platform role opens nothing here. Two statements, and one more for cohort staff.
    """
    tenant: Any = connection.tenant
    org_role = org_role_of(user_id)
    # Raw: every signed-in request asks, and building the query takes longer than answering it.
    found = Contact.objects.raw("SELECT * FROM crm_contacts WHERE user_id = %s", [user_id])
    contact = next(iter(found), None)
    if not org_role or contact is None:
        return None
    return principal_of(contact=contact, user_id=user_id, org_id=tenant.id, org_role=org_role)


def principal_of(
    *,
    contact: Contact,
    user_id: uuid.UUID | None,
    org_id: uuid.UUID,
    org_role: str,
    scopes: frozenset[str] = frozenset(),
) -> Principal:
    """Return the principal; only an instructor's cohorts are looked up."""
    scoped = org_role == OrgRole.INSTRUCTOR
    return Principal(
        user_id=user_id,
        contact_id=contact.id,
        contact=contact,
        org_id=org_id,
        org_role=org_role,
        cohort_ids=ports.staffed_cohort_ids(contact.id) if scoped else frozenset(),
        scopes=scopes,
    )
