"""The admin classes that every app's back office is made of."""

from apps.contacts.admin_base.definitions import AuthoredAdmin, DefinitionAdmin, VersionPartAdmin
from apps.contacts.admin_base.filters import ended
from apps.contacts.admin_base.links import Name, Reference, references
from apps.contacts.admin_base.menu import Section
from apps.contacts.admin_base.organization import OrganizationModelAdmin
from apps.contacts.admin_base.pages import Pages, ReadOnlyAdmin, url_of
from apps.contacts.admin_base.parts import LabelledFormSet, VersionPartForm, VersionPartInline
from apps.contacts.admin_base.references import ReferringAdmin
from apps.contacts.admin_base.requests import (
    actor_of,
    principal_of,
    refusal_of,
    refuse_in,
    signed_in,
    tell,
)
from apps.contacts.admin_base.versions import VersionAdmin

__all__ = [
    "AuthoredAdmin",
    "DefinitionAdmin",
    "LabelledFormSet",
    "Name",
    "OrganizationModelAdmin",
    "Pages",
    "ReadOnlyAdmin",
    "Reference",
    "ReferringAdmin",
    "Section",
    "VersionAdmin",
    "VersionPartAdmin",
    "VersionPartForm",
    "VersionPartInline",
    "actor_of",
    "ended",
    "principal_of",
    "references",
    "refusal_of",
    "refuse_in",
    "signed_in",
    "tell",
    "url_of",
]
