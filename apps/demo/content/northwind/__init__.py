"""Northwind Safety Academy: entering confined spaces, and watching over those who do."""

from __future__ import annotations

from pathlib import Path

from apps.demo.content.northwind.cohorts import GROUP_14, GROUP_15
from apps.demo.content.northwind.program import PROGRAM
from apps.demo.content.northwind.shop import SHOP
from apps.demo.content.organizations import MemberPlan, OrganizationPlan
from apps.organizations.models import OrgRole

NORTHWIND = OrganizationPlan(
    slug="northwind",
    name="Northwind Safety Academy",
    folder=Path(__file__).resolve().parent,
    timezone="America/Chicago",
    bank="Confined spaces",
    electives=1,
    program=PROGRAM,
    cohorts=(GROUP_14, GROUP_15),
    attendance_need="attendance",
    signoff_need="supervised",
    signoff_after="practical-entry",
    shop=SHOP,
    adopts=True,
    members=(
        MemberPlan(
            "ingrid.halvorsen@northwind.example.org",
            "Ingrid Halvorsen",
            OrgRole.OWNER,
            "admin: the awards, the one that was revoked and why; the members and their roles",
        ),
        MemberPlan(
            "tomas.rivera@northwind.example.org",
            "Tomás Rivera",
            OrgRole.ADMIN,
            "admin: a new draft of the program, its differences, and publishing it",
        ),
        MemberPlan(
            "grace.mwangi@northwind.example.org",
            "Grace Mwangi",
            OrgRole.INSTRUCTOR,
            "admin: Group 14, which has ended, and only Group 14",
        ),
        MemberPlan(
            "bill.novak@northwind.example.org",
            "Bill Novak",
            OrgRole.INSTRUCTOR,
            "admin: essays of Group 15 wait for a grade; today’s attendance sheet is empty",
        ),
        MemberPlan(
            "yuki.tanabe@review.example.org",
            "Yuki Tanabe",
            OrgRole.AUDITOR,
            "sees everything in both organisations and changes nothing",
        ),
        MemberPlan(
            "amara.okafor@example.org",
            "Amara Okafor",
            OrgRole.LEARNER,
            "has the certificate: open it, verify it, look at what it rests on",
        ),
        MemberPlan(
            "zoe.andersson@example.org",
            "Zoë Andersson",
            OrgRole.LEARNER,
            "is at the beginning: what is locked, why, and what to do next",
        ),
        MemberPlan(
            "lucia.alvarez@example.org",
            "Lucía Álvarez",
            OrgRole.LEARNER,
            "has handed in the final examination and waits for a grade",
        ),
    ),
)
