"""Northwind's web shop: somebody pays, somebody is refunded, somebody has to wait."""

from __future__ import annotations

from decimal import Decimal

from apps.demo.content.organizations import OrderPlan, ShopPlan

PRICE = Decimal("890.00")

SHOP = ShopPlan(
    slug="web-shop",
    title="Northwind web shop",
    currency="USD",
    sku="CSE-PROGRAM",
    cohort_slug="group-16",
    cohort_title="Group 16",
    starts=35,
    ends=70,
    capacity=2,
    orders=(
        OrderPlan("2041", 9, ("nadia.rossi@example.org", "Nadia Rossi"), "CSE-PROGRAM", PRICE),
        OrderPlan(
            "2042",
            8,
            ("piotr.zielinski@example.org", "Piotr Zieliński"),
            "CSE-PROGRAM",
            PRICE,
            refunded_after=2,
        ),
        OrderPlan(
            "2043",
            5,
            ("dana.whitfield@delta-refining.example.org", "Dana Whitfield"),
            "CSE-PROGRAM",
            PRICE,
            beneficiaries=(
                ("omar.said@delta-refining.example.org", "Omar Said"),
                ("lucy.park@delta-refining.example.org", "Lucy Park"),
            ),
        ),
        OrderPlan(
            "2044", 1, ("ellen.marsh@example.org", "Ellen Marsh"), "CSE-RESCUE", Decimal("240.00")
        ),
    ),
)
