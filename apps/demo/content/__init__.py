"""The demo's organisations: what they teach, who they are, and how their cohorts went."""

from apps.demo.content.lumen import LUMEN
from apps.demo.content.northwind import NORTHWIND
from apps.demo.content.organizations import OrganizationPlan

ORGANIZATIONS: tuple[OrganizationPlan, ...] = (NORTHWIND, LUMEN)
"""In the order in which they are loaded."""
