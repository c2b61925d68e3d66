"""Back office of sales: shops, what they sell, orders, and what waits for a person."""

from apps.commerce.admin.deliveries import WebhookDeliveryAdmin
from apps.commerce.admin.orders import OrderAdmin, OrderLineAdmin
from apps.commerce.admin.sellables import SellableAdmin
from apps.commerce.admin.sources import SourceAdmin

__all__ = [
    "OrderAdmin",
    "OrderLineAdmin",
    "SellableAdmin",
    "SourceAdmin",
    "WebhookDeliveryAdmin",
]
