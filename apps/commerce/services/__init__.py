"""Writes of this app, by noun; other apps import them from here."""

from apps.commerce.services.receiving import Receipt, authenticate, receive, record_refusal
from apps.commerce.services.resolving import dismiss_line, retry_line
from apps.commerce.services.sellables import add_sellable, change_sellable, remove_sellable
from apps.commerce.services.sources import (
    NewSecret,
    add_source,
    change_source,
    disable_source,
    enable_source,
    revoke_secret,
    rotate_secret,
)

__all__ = [
    "NewSecret",
    "Receipt",
    "add_sellable",
    "add_source",
    "authenticate",
    "change_sellable",
    "change_source",
    "disable_source",
    "dismiss_line",
    "enable_source",
    "receive",
    "record_refusal",
    "remove_sellable",
    "retry_line",
    "revoke_secret",
    "rotate_secret",
]
