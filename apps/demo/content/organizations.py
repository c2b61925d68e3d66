"""What the demo says about an organisation, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
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
    `shares` has stops trying. `writes` is how well they write where that differs, `attends` the
    share of sessions they come to.
    """

    shares: tuple[float, ...]
    modules: int | None = None
    writes: float | None = None
    attends: float = 1.0


@dataclass(frozen=True)
class CohortPlan:
    """One group: whom the roster's class holds, when it runs, and what happened in it.

    Days count from today, past ones are negative. A module takes `pace` days, and the instructor
    reads essays `reads_after` days. `lives` are those of the learners in the order
    of the roster, begun again when there are more learners. The other fields name learners by
    e-mail: whose first attempt at which assessment was voided and why, whose attendance is waived
    and why, who withdrew, whose award was revoked and why, whose attendance at the second meeting
    was corrected to what and why, who is granted how much more time and why, and who is in the
    middle of which assessment. `due` are assessments with the day on which they are due.
    """

    slug: str
    title: str
    class_id: str
    instructor: str
    starts: int
    ends: int
    pace: int
    reads_after: int
    meetings: tuple[MeetingPlan, ...]
    lives: tuple[Life, ...]
    capacity: int | None = None
    is_over: bool = False
    voided: tuple[str, str, str] | None = None
    waived: tuple[str, str] | None = None
    withdrawn: str = ""
    revoked: tuple[str, str] | None = None
    corrected: tuple[str, str, str] | None = None
    granted: tuple[str, Decimal, str] | None = None
    sitting: tuple[str, str] | None = None
    due: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class OrderPlan:
    """An order of the demo's shop, so many days ago: who bought what for whom, by addresses.

    For nobody in particular is for the buyer. It is refunded `refunded_after` days later.
    """

    number: str
    days: int
    buyer: tuple[str, str]
    sku: str
    price: Decimal
    beneficiaries: tuple[tuple[str, str], ...] = ()
    refunded_after: int | None = None


@dataclass(frozen=True)
class ShopPlan:
    """A web shop that sells the program: into a cohort of its own, with few seats."""

    slug: str
    title: str
    currency: str
    sku: str
    cohort_slug: str
    cohort_title: str
    starts: int
    ends: int
    capacity: int
    orders: tuple[OrderPlan, ...]


@dataclass(frozen=True)
class OrganizationPlan:
    """A whole organisation. `folder` holds its roster, questions, lessons and essays.

    Each learner takes `electives` of the courses that are not required. `attendance_need` is the
    requirement that can be waived, `signoff_need` the one that an instructor signs off once
    `signoff_after`, an assessment, is passed. One that `adopts` takes the platform's course.
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
    shop: ShopPlan | None = None
    adopts: bool = False
