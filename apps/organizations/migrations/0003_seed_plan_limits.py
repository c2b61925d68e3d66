"""What each plan allows. The rows are data: the platform changes them, not a release."""

from decimal import Decimal
from typing import Any

from django.db import migrations

GIGABYTE = 10**9
# Logins, bytes, US dollars a month; None is no limit.
PLANS: dict[str, dict[str, int | None]] = {
    "free": {"members": 50, "storage": GIGABYTE, "ai_budget": 5},
    "team": {"members": 500, "storage": 50 * GIGABYTE, "ai_budget": 250},
    "enterprise": {"members": None, "storage": None, "ai_budget": None},
}


def seed(apps: Any, schema_editor: Any) -> None:
    plan_limit = apps.get_model("organizations", "PlanLimit")
    plan_limit.objects.bulk_create(
        plan_limit(plan=plan, name=name, amount=None if amount is None else Decimal(amount))
        for plan, limits in PLANS.items()
        for name, amount in limits.items()
    )


def forget(apps: Any, schema_editor: Any) -> None:
    apps.get_model("organizations", "PlanLimit").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("organizations", "0002_plan_limits")]

    operations = [migrations.RunPython(seed, forget)]
