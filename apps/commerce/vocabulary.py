"""The words that orders and what follows from them are told in."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class PaymentState(models.TextChoices):
    """How far an order or one of its lines is, as the shop tells it."""

    PENDING = "pending", _("pending")
    PAID = "paid", _("paid")
    REFUNDED = "refunded", _("refunded")
    CANCELLED = "cancelled", _("cancelled")


class LineOutcome(models.TextChoices):
    """What came of a line here."""

    WAITING = "waiting", _("waits for payment")
    GRANTED = "granted", _("granted")
    UNRESOLVED = "unresolved", _("unresolved")
    WITHDRAWN = "withdrawn", _("withdrawn")
    CANCELLED = "cancelled", _("never granted")
    DISMISSED = "dismissed", _("dismissed")


class EntitlementState(models.TextChoices):
    GRANTED = "granted", _("granted")
    WITHDRAWN = "withdrawn", _("withdrawn")


class Effect(models.TextChoices):
    """What an entitlement did to the enrolment it is about."""

    JOINED = "joined", _("brought the enrolment about")
    FOUND = "found", _("found an enrolment that was there")
    LEFT = "left", _("ended the enrolment")
    KEPT_FOR_ANOTHER = "kept_for_another", _("left it: another order pays for it too")
    KEPT_FROM_BEFORE = "kept_from_before", _("left it: it was there before any order")
    OVER_BEFORE = "over_before", _("found it over already")


GRANTING = (Effect.JOINED, Effect.FOUND)
"""The effects of granting; the others are those of withdrawing."""


class DeliveryOutcome(models.TextChoices):
    """What became of a webhook that was delivered."""

    APPLIED = "applied", _("applied")
    UNCHANGED = "unchanged", _("nothing new")
    STALE = "stale", _("older than what is known")
    IGNORED = "ignored", _("of a kind that nothing follows from")
    DUPLICATE = "duplicate", _("delivered before")
    REFUSED = "refused", _("refused")


ACCEPTED = (
    DeliveryOutcome.APPLIED,
    DeliveryOutcome.UNCHANGED,
    DeliveryOutcome.STALE,
    DeliveryOutcome.IGNORED,
)
"""Outcomes that a webhook has once; whoever delivers it again finds a duplicate."""


class Reason(models.TextChoices):
    """Why a paid line could not be granted; a refused enrolment tells its own problem's code."""

    SKU_UNKNOWN = "sku-unknown", _("Nothing is sold here under this SKU.")
    SELLABLE_ARCHIVED = "sellable-archived", _("What has this SKU is not sold any more.")
    SEVERAL_OF_ONE = "several-of-one", _("A line is for one person: send a line for each.")
    CURRENCY_UNKNOWN = "currency-unknown", _("The currency is no ISO 4217 code.")
    CURRENCY_NOT_ACCEPTED = "currency-not-accepted", _("The source may not sell in this currency.")
    NO_OPEN_COHORT = "no-open-cohort", _("The program has no open cohort.")
    NO_SELF_PACED_COHORT = "no-self-paced-cohort", _("No open self-paced cohort takes the course.")
