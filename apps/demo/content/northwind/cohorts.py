"""The Academy’s two groups: one has ended, one is running."""

from __future__ import annotations

from decimal import Decimal

from apps.demo.content.organizations import CohortPlan, Life, MeetingPlan

STRONG = Life(shares=(0.95,))
SOLID = Life(shares=(0.85,))
NEAR_MISS = Life(shares=(0.68, 0.85), attends=0.9)
UNEVEN = Life(shares=(0.55, 0.8), attends=0.8)
FAILS = Life(shares=(0.75, 0.7), writes=0.3, attends=0.8)
DRIFTS = Life(shares=(0.8,), modules=3, attends=0.5)

GROUP_14 = CohortPlan(
    slug="group-14",
    title="Group 14",
    class_id="Group 14",
    instructor="grace.mwangi@northwind.example.org",
    starts=-84,
    ends=-21,
    pace=9,
    reads_after=2,
    is_over=True,
    lives=(STRONG, SOLID, NEAR_MISS, SOLID, UNEVEN, STRONG, SOLID, FAILS, SOLID, DRIFTS),
    meetings=(
        MeetingPlan("Opening and site rules", -83, 9, 120, "Training Hall 2"),
        MeetingPlan("Meters: bump test and sampling", -69, 9, 180, "Meter workshop"),
        MeetingPlan("Isolation walk-down", -55, 9, 180, "Tank farm, gate 3"),
        MeetingPlan("Rescue drill with tripod and winch", -41, 8, 240, "Training tower"),
        MeetingPlan("Questions before the examination", -34, 17, 60, is_required=False),
    ),
    voided=(
        "farid.haddad@example.org",
        "final-examination",
        "Two people were seen at the screen; the invigilator’s note is in the file.",
    ),
    waived=(
        "patricia.goncalves@example.org",
        "Attended the same sessions with Group 13; the signed list is in the file.",
    ),
    withdrawn="jamal.washington@example.org",
    revoked=(
        "luis.fernandez@example.org",
        "The practical was signed for another person; see the assessor’s statement.",
    ),
    corrected=(
        "bjorn.lindqvist@example.org",
        "present",
        "Was at the meter workshop, on the second list.",
    ),
)

GROUP_15 = CohortPlan(
    slug="group-15",
    title="Group 15",
    class_id="Group 15",
    instructor="bill.novak@northwind.example.org",
    starts=-30,
    ends=35,
    pace=6,
    reads_after=1,
    capacity=21,
    lives=(
        Life(shares=(0.95,), modules=5),
        Life(shares=(0.85,), modules=5),
        Life(shares=(0.85,), modules=4),
        Life(shares=(0.6, 0.8), modules=5, attends=0.8),
        Life(shares=(0.5, 0.6, 0.65), modules=4, attends=0.7),
        Life(shares=(0.9,), modules=3),
        Life(shares=(0.8,), modules=2),
        Life(shares=(0.9,), modules=1, attends=0.6),
        Life(shares=(0.9,), modules=0, attends=0.4),
    ),
    meetings=(
        MeetingPlan("Opening and site rules", -29, 9, 120, "Training Hall 2"),
        MeetingPlan("Meters: bump test and sampling", -13, 9, 180, "Meter workshop"),
        MeetingPlan("Isolation walk-down", 0, 13, 180, "Tank farm, gate 3"),
        MeetingPlan(
            "Questions and answers",
            2,
            17,
            60,
            url="https://meet.example.org/nw-15",
            is_required=False,
        ),
        MeetingPlan("Rescue drill with tripod and winch", 9, 8, 240, "Training tower"),
    ),
    corrected=(
        "vera.kovalenko@example.org",
        "late",
        "Came twenty minutes late, the train was cancelled.",
    ),
    granted=(
        "ximena.nunez@example.org",
        Decimal("1.5"),
        "Reads with a magnifier; the certificate is in the file.",
    ),
    sitting=("vera.kovalenko@example.org", "practical-entry"),
    due=(("hazards-check", 4), ("practical-entry", 18), ("final-examination", 25)),
)
