"""What the demo says about an organisation, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from apps.demo.plans import ProgramPlan


@dataclass(frozen=True)
class MemberPlan:
    """Somebody with a login. `hint` tells a visitor what to try as this person."""

    email: str
    name: str
    role: str
    hint: str


@dataclass(frozen=True)
class MeetingPlan:
    """A session: so many days from today, at an hour of the cohort's wall clock."""

    title: str
    days: int
    hour: int
    minutes: int
    location: str = ""
    url: str = ""
    is_required: bool = True


@dataclass(frozen=True)
class Life:
    """How a learner does: the share answered right in each attempt, and how far they go.

    `modules` counts the modules they work through so far, None is all. Who fails everything that
    `shares` has stops trying. `attends` is the share of sessions they come to.
    """

    shares: tuple[float, ...]
    modules: int | None = None
    attends: float = 1.0


@dataclass(frozen=True)
class CohortPlan:
    """One group: whom the roster's class holds, when it runs, and what happened in it.

    Days count from today, past ones are negative. `lives` are those of the learners in the order
    of the roster, begun again when there are more learners. The other fields name learners by
    e-mail: whose first attempt at which assessment was voided, whose attendance is waived, who
    withdrew, whose award was revoked and why, whose attendance was corrected, and who is in the
    middle of which assessment.
    """

    slug: str
    title: str
    class_id: str
    instructor: str
    starts: int
    ends: int
    pace: int
    meetings: tuple[MeetingPlan, ...]
    lives: tuple[Life, ...]
    capacity: int | None = None
    is_over: bool = False
    voided: tuple[str, str, str] | None = None
    waived: tuple[str, str] | None = None
    withdrawn: str = ""
    revoked: tuple[str, str] | None = None
    corrected: tuple[str, str] | None = None
    sitting: tuple[str, str] | None = None


@dataclass(frozen=True)
class OrganizationPlan:
    """A whole organisation. `folder` holds its roster, questions, lessons and essays.

    `due` says in how many days the running cohort's assessments are due, by slug.
    """

    slug: str
    name: str
    folder: Path
    timezone: str
    members: tuple[MemberPlan, ...]
    program: ProgramPlan
    cohorts: tuple[CohortPlan, ...]
    bank: str
    electives: int
    attendance_need: str
    signoff_need: str = ""
    signoff_after: str = ""
