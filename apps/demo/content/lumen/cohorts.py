"""The School’s two groups: one has ended, one is running."""

from __future__ import annotations

from decimal import Decimal

from apps.demo.content.organizations import CohortPlan, Life, MeetingPlan

ADA = CohortPlan(
    slug="ada",
    title="Cohort Ada",
    class_id="Ada",
    instructor="priya.raman@lumen.example.org",
    starts=-77,
    ends=-14,
    pace=8,
    reads_after=2,
    is_over=True,
    lives=(
        Life(shares=(0.95,)),
        Life(shares=(0.9,)),
        Life(shares=(0.55, 0.75), attends=0.9),
        Life(shares=(0.8, 0.9)),
        Life(shares=(0.85, 0.9), attends=0.9),
        Life(shares=(0.4, 0.5, 0.55), attends=0.5),
        Life(shares=(0.9,), modules=4, attends=0.7),
    ),
    meetings=(
        MeetingPlan("Kick-off", -76, 10, 180, "Studio 1, Kastanienallee 40"),
        MeetingPlan("Studio day: joins", -62, 10, 300, "Studio 1, Kastanienallee 40"),
        MeetingPlan("Studio day: experiments", -41, 10, 300, "Studio 1, Kastanienallee 40"),
        MeetingPlan(
            "Code clinic",
            -34,
            18,
            90,
            url="https://meet.example.org/lumen-clinic",
            is_required=False,
        ),
    ),
    voided=(
        "tariq.aziz@example.org",
        "statistics-check",
        "The browser of a classmate was used; both say so.",
    ),
    waived=("naledi.dlamini@example.org", "Took part by video from Johannesburg, as agreed."),
    withdrawn="bogdan.ionescu@example.org",
    revoked=(
        "zeynep.sahin@example.org",
        "Issued with a wrong legal name; a corrected one will be issued.",
    ),
    corrected=("matteo.rossi@example.org", "present", "Signed the second sheet by the door."),
)

GRACE = CohortPlan(
    slug="grace",
    title="Cohort Grace",
    class_id="Grace",
    instructor="jonas.weber@lumen.example.org",
    starts=-30,
    ends=33,
    pace=6,
    reads_after=1,
    capacity=21,
    lives=(
        Life(shares=(0.9,), modules=5),
        Life(shares=(0.75,), modules=5),
        Life(shares=(0.5, 0.8), modules=4),
        Life(shares=(0.85,), modules=4, attends=0.8),
        Life(shares=(0.45, 0.5, 0.5), modules=3, attends=0.7),
        Life(shares=(0.8,), modules=3),
        Life(shares=(0.9,), modules=2),
        Life(shares=(0.7,), modules=1, attends=0.6),
        Life(shares=(0.7,), modules=0, attends=0.3),
    ),
    meetings=(
        MeetingPlan("Kick-off", -29, 10, 180, "Studio 2, Kastanienallee 40"),
        MeetingPlan("Studio day: joins", -15, 10, 300, "Studio 2, Kastanienallee 40"),
        MeetingPlan("Studio day: experiments", 0, 14, 180, "Studio 2, Kastanienallee 40"),
        MeetingPlan(
            "Code clinic", 1, 18, 90, url="https://meet.example.org/lumen-clinic", is_required=False
        ),
        MeetingPlan("Studio day: capstones", 13, 10, 300, "Studio 2, Kastanienallee 40"),
    ),
    corrected=("esra.yilmaz@example.org", "late", "The tram stood still; was there from eleven."),
    granted=(
        "tomas.novotny@example.org",
        Decimal("1.25"),
        "Takes the checks in a third language, as agreed at the interview.",
    ),
    sitting=("huda.rashid@example.org", "sql-check"),
    due=(("sql-check", 3), ("statistics-check", 12), ("capstone", 26)),
)
