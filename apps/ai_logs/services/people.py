"""Whom and what a trace's words mean: contacts, enrolments, items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from apps.cohorts.models import CohortEnrollment
from apps.contacts.models import ChannelKind, Contact, ContactChannel
from apps.contacts.services import normalized_email
from apps.programs.models import ModuleItem

Row = TypeVar("Row", bound=Model)


@dataclass(slots=True)
class People:
    """What the contexts of one export name, looked up together."""

    contacts: dict[str, Contact] = field(default_factory=dict)
    enrollments: dict[str, CohortEnrollment] = field(default_factory=dict)
    items: dict[str, ModuleItem] = field(default_factory=dict)

    def contact_of(self, context: Mapping[str, str]) -> Contact | None:
        """Return the person: by our id, by their enrolment, by what the client calls them."""
        named = self.contacts.get(context.get("contact", ""))
        enrollment = self.enrollments.get(context.get("enrollment", ""))
        if named is not None or enrollment is not None:
            return named or (enrollment.contact if enrollment else None)
        return self.contacts.get(context.get("person", ""))

    def fault_of(self, context: Mapping[str, str]) -> str:
        """Return which of our own ids leads nowhere, or nothing.

        Who is known to the client alone stays unknown: that is no fault.
        """
        for key, known in (
            ("contact", self.contacts),
            ("enrollment", self.enrollments),
            ("module_item", self.items),
        ):
            if key in context and context[key] not in known:
                return f"assay.{key}_id “{context[key]}” is nobody's here"
        enrollment = self.enrollments.get(context.get("enrollment", ""))
        contact = self.contact_of(context)
        if enrollment and contact and enrollment.contact_id != contact.id:
            return f"the enrolment {enrollment.id} is another contact's"
        return ""


def people_in(contexts: Iterable[Mapping[str, str]]) -> People:
    """Return everybody and everything that these contexts name. At most five statements."""
    told = list(contexts)
    contacts = _contacts(
        {one["contact"] for one in told if "contact" in one},
        {one["person"] for one in told if "person" in one},
    )
    enrollments = {one["enrollment"] for one in told if "enrollment" in one}
    items = {one["module_item"] for one in told if "module_item" in one}
    return People(
        contacts,
        _by_id(CohortEnrollment.objects.select_related("contact"), enrollments),
        _by_id(ModuleItem.objects.defer("body_markdown"), items),
    )


def _contacts(ids: set[str], persons: set[str]) -> dict[str, Contact]:
    rows = Contact.objects.select_related("merged_into")
    found = _by_id(rows, ids | persons)
    if persons:
        for contact in rows.filter(external_id__in=persons):
            found.setdefault(str(contact.external_id), contact)
        emails = {normalized_email(person): person for person in persons if "@" in person}
        channels = ContactChannel.objects.filter(kind=ChannelKind.EMAIL, value__in=emails)
        for channel in channels.select_related("contact__merged_into") if emails else ():
            found.setdefault(emails[channel.value], channel.contact)
    return {name: contact.merged_into or contact for name, contact in found.items()}


def _by_id(rows: QuerySet[Row], texts: Iterable[str]) -> dict[str, Row]:
    ids: dict[UUID, str] = {}
    for text in texts:
        try:
            ids[UUID(text)] = text
        except ValueError:
            continue
    return {ids[row.pk]: row for row in rows.filter(pk__in=ids)} if ids else {}
