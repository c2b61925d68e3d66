"""What an organisation used in a month: the meters behind an invoice or a plan's limit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from apps.ai_logs.models import AiInteractionCost
from apps.assessment.models import AssessmentAttempt
from apps.cohorts.events import ITEM_EVENTS, EventType
from apps.cohorts.models import AttendanceRecord, AttendanceStatus, ProgressEvent
from apps.contacts.models import Contact
from apps.core.models import StoredObject
from apps.core.tenancy import connection
from apps.credentials.models import CertificationAward
from apps.organizations.models import MembershipStatus, OrgMembership, PlatformAction

CENT_OF_A_CENT = Decimal("0.0001")
AI_CURRENCY = "USD"


@dataclass(frozen=True)
class Month:
    """A calendar month in UTC: `start` is in it, `end` is not."""

    first: date

    @property
    def start(self) -> datetime:
        return datetime(self.first.year, self.first.month, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        years, month = divmod(self.first.month, 12)
        return datetime(self.first.year + years, month + 1, 1, tzinfo=UTC)

    @property
    def before(self) -> Month:
        years, month = divmod(self.first.month - 2, 12)
        return Month(date(self.first.year + years, month + 1, 1))

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"


@dataclass(frozen=True)
class Usage:
    """One organisation's meters for one month.

    Members are the logins that were active when it ended. A learner was active who began or
    completed an item, began or handed in an attempt, or attended a session. Storage is what was
    kept when it ended, in bytes. AI calls without a known price in US dollars are counted apart.
    """

    organization: str
    plan: str
    month: str
    active_members: int
    active_learners: int
    storage_bytes: int
    ai_cost_usd: Decimal
    ai_calls_unpriced: int
    awards: int
    attempts: int


def usage_of(organization: Any, month: Month) -> Usage:
    """Return the meters of the organisation in force."""
    cost, unpriced = ai_cost(month)
    within = {"gte": month.start, "lt": month.end}
    return Usage(
        organization=organization.slug,
        plan=organization.plan,
        month=str(month),
        active_members=active_members(organization.id, at=month.end),
        active_learners=active_learners(month),
        storage_bytes=stored_bytes(at=month.end),
        ai_cost_usd=cost,
        ai_calls_unpriced=unpriced,
        awards=CertificationAward.objects.filter(**_between("issued_at", within)).count(),
        attempts=AssessmentAttempt.objects.filter(**_between("started_at", within)).count(),
    )


def _between(field: str, within: Mapping[str, datetime]) -> dict[str, datetime]:
    return {f"{field}__{lookup}": moment for lookup, moment in within.items()}


def active_learners(month: Month) -> int:
    """Return how many people learned in the month; somebody with aliases counts once."""
    within = {"gte": month.start, "lt": month.end}
    events = ProgressEvent.objects.filter(
        type__in=[*ITEM_EVENTS, EventType.ASSESSMENT_SUBMITTED], **_between("occurred_at", within)
    )
    attempts = AssessmentAttempt.objects.filter(**_between("started_at", within))
    attended = AttendanceRecord.objects.current().filter(
        status__in=(AttendanceStatus.PRESENT, AttendanceStatus.LATE),
        **_between("session__starts_at", within),
    )
    people = Contact.objects.filter(
        Q(id__in=events.values("contact"))
        | Q(id__in=attempts.values("contact"))
        | Q(id__in=attended.values("contact"))
    )
    return people.annotate(who=Coalesce("merged_into_id", "id")).values("who").distinct().count()


def stored_bytes(*, at: datetime) -> int:
    """Return what was kept in the object store at a moment."""
    kept = StoredObject.objects.filter(Q(removed_at=None) | Q(removed_at__gte=at), stored_at__lt=at)
    total: int | None = kept.aggregate(total=Sum("bytes"))["total"]
    return int(total or 0)


def ai_cost(month: Month) -> tuple[Decimal, int]:
    """Return what the month's AI calls cost in US dollars, by the prices that count now, and how
    many of them have no such price.
    """
    costs = AiInteractionCost.objects.current().filter(
        **_between("interaction__occurred_at", {"gte": month.start, "lt": month.end})
    )
    in_dollars = Q(currency=AI_CURRENCY, amount__isnull=False)
    found = costs.aggregate(
        total=Sum("amount", filter=in_dollars), unpriced=Count("id", filter=~in_dollars)
    )
    return (found["total"] or Decimal(0)).quantize(CENT_OF_A_CENT), found["unpriced"]


def active_members(organization_id: UUID, *, at: datetime) -> int:
    """Return how many logins were active at a moment.

    Memberships keep their present status only; the platform's record of joining and changing
    tells what it was before.
    """
    with connection.platform():
        members = dict(
            OrgMembership.objects.filter(
                organization_id=organization_id, created_at__lt=at
            ).values_list("user_id", "status")
        )
        recorded = PlatformAction.objects.filter(
            organization_id=organization_id, action__in=("member.joined", "member.changed")
        ).order_by("recorded_at", "id")
        turns: dict[UUID, list[_Turn]] = defaultdict(list)
        for action in recorded:
            turn = _turn(action)
            turns[turn.user_id].append(turn)
    return sum(_was_active(status, turns[user_id], at) for user_id, status in members.items())


@dataclass(frozen=True)
class _Turn:
    """A membership that changed: who, when, and whether it was active before and after."""

    user_id: UUID
    at: datetime
    was_active: bool
    is_active: bool


def _turn(action: PlatformAction) -> _Turn:
    if action.action == "member.joined":
        user_id = action.actor_id or UUID(int=0)
        return _Turn(user_id, action.recorded_at, was_active=False, is_active=True)
    details = action.details
    return _Turn(
        UUID(details["user"]),
        action.recorded_at,
        was_active=details["before"]["status"] == MembershipStatus.ACTIVE,
        is_active=details["after"]["status"] == MembershipStatus.ACTIVE,
    )


def _was_active(status_now: str, turns: Sequence[_Turn], at: datetime) -> bool:
    """Whether a membership was active at a moment: what the last turn before it said, else what
    the first one after it found, else what it is now.
    """
    earlier = [turn for turn in turns if turn.at < at]
    if earlier:
        return earlier[-1].is_active
    later = next((turn for turn in turns if turn.at >= at), None)
    return later.was_active if later else status_now == MembershipStatus.ACTIVE
