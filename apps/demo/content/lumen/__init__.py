"""Lumen Code School: a bootcamp for people who will answer questions with data."""

from __future__ import annotations

from pathlib import Path

from apps.demo.content.lumen.cohorts import ADA, GRACE
from apps.demo.content.lumen.program import PROGRAM
from apps.demo.content.organizations import MemberPlan, OrganizationPlan
from apps.organizations.models import OrgRole

LUMEN = OrganizationPlan(
    slug="lumen",
    name="Lumen Code School",
    folder=Path(__file__).resolve().parent,
    timezone="Europe/Berlin",
    bank="Data analysis",
    electives=2,
    program=PROGRAM,
    cohorts=(ADA, GRACE),
    attendance_need="attendance",
    members=(
        MemberPlan(
            "lena.brandt@lumen.example.org",
            "Lena Brandt",
            OrgRole.OWNER,
            "admin: awards are granted by hand here; Søren Kjær’s is still to be granted",
        ),
        MemberPlan(
            "samuel.okoro@lumen.example.org",
            "Samuel Okoro",
            OrgRole.ADMIN,
            "admin: the question bank, and the requirement graph with credits",
        ),
        MemberPlan(
            "priya.raman@lumen.example.org",
            "Priya Raman",
            OrgRole.INSTRUCTOR,
            "admin: Cohort Ada, which has ended",
        ),
        MemberPlan(
            "jonas.weber@lumen.example.org",
            "Jonas Weber",
            OrgRole.INSTRUCTOR,
            "admin: capstones of Cohort Grace wait for a grade with the rubric",
        ),
        MemberPlan(
            "yuki.tanabe@review.example.org",
            "Yuki Tanabe",
            OrgRole.AUDITOR,
            "the same auditor as in the other organisation, with the same password",
        ),
        MemberPlan(
            "aisha.bello@example.org",
            "Aisha Bello",
            OrgRole.LEARNER,
            "has the badge: open it, verify it, look at what it rests on",
        ),
        MemberPlan(
            "huda.rashid@example.org",
            "Huda Al-Rashid",
            OrgRole.LEARNER,
            "is in the middle of the SQL check; the statistics check is still locked",
        ),
        MemberPlan(
            "bjork.jonsdottir@example.org",
            "Björk Jónsdóttir",
            OrgRole.LEARNER,
            "has handed in the capstone and waits for a grade",
        ),
    ),
)
