"""What is awarded, to whom, and how it is signed."""

from apps.credentials.models.awards import AwardHold, CertificationAward, CredentialEvent
from apps.credentials.models.issuing import CredentialDocument, IssuerKey, StatusListEntry
from apps.credentials.models.templates import CertificationTemplate, CertificationTemplateVersion

__all__ = [
    "AwardHold",
    "CertificationAward",
    "CertificationTemplate",
    "CertificationTemplateVersion",
    "CredentialDocument",
    "CredentialEvent",
    "IssuerKey",
    "StatusListEntry",
]
