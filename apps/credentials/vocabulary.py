"""The words of awarding: types, modes, events, states, holds. Pure."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class TemplateType(TextChoices):
    CERTIFICATE = "certificate", _("certificate")
    BADGE = "badge", _("badge")
    MICROCREDENTIAL = "microcredential", _("microcredential")


class AwardMode(TextChoices):
    """Whether the platform awards as soon as the requirements are met, or a person does."""

    AUTOMATIC = "automatic", _("automatic")
    MANUAL = "manual", _("by a person")


class CredentialEventType(TextChoices):
    """What can happen to an award. `renewed`: a later award of the same kind follows it."""

    ISSUED = "issued", _("issued")
    SUSPENDED = "suspended", _("suspended")
    REINSTATED = "reinstated", _("reinstated")
    REVOKED = "revoked", _("revoked")
    EXPIRED = "expired", _("expired")
    RENEWED = "renewed", _("renewed")


class AwardState(TextChoices):
    """How an award stands: what its events add up to."""

    ACTIVE = "active", _("in force")
    SUSPENDED = "suspended", _("suspended")
    REVOKED = "revoked", _("revoked")
    EXPIRED = "expired", _("expired")


class HoldCode(TextChoices):
    """Why an award waits for a person."""

    DECISION_NOT_CONFIRMED = "decision-not-confirmed", _("the decision is not confirmed")
    NAME_MISSING = "name-missing", _("there is no name to print")
    RESULTS_DISAGREE = "results-disagree", _("results disagree")
    EVIDENCE_CHANGED = "evidence-changed", _("the evidence has changed")
    MANUAL = "manual", _("by a person")


class HoldResolution(TextChoices):
    """What a person decided: nothing stands against it, no award, or the award was revoked."""

    RELEASED = "released", _("released")
    REFUSED = "refused", _("refused")
    REVOKED = "revoked", _("revoked")


class KeyState(TextChoices):
    ACTIVE = "active", _("signs")
    RETIRED = "retired", _("verifies only")
    REVOKED = "revoked", _("withdrawn")


class StatusPurpose(TextChoices):
    REVOCATION = "revocation", _("revocation")
