"""Shops, what they sell, what was ordered, and what that entitles to."""

from apps.commerce.models.deliveries import WebhookDelivery
from apps.commerce.models.entitlements import Entitlement
from apps.commerce.models.orders import Order, OrderLine
from apps.commerce.models.sources import Sellable, Source, SourceSecret

__all__ = [
    "Entitlement",
    "Order",
    "OrderLine",
    "Sellable",
    "Source",
    "SourceSecret",
    "WebhookDelivery",
]
