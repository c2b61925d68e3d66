"""How a cohort of the demo studies: sessions and lessons, week after week."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from apps.cohorts.events import EventType
from apps.cohorts.models import AttendanceStatus
from apps.cohorts.services import (
    Assertion,
    AttendanceEntry,
    assert_progress,
    project_progress,
    record_attendance,
    withdraw,
)
from apps.demo.answers import luck
from apps.demo.groups import Group, Learner
from apps.demo.people import as_member
from apps.demo.plans import CoursePlan, External, Item, Module, Task
from apps.demo.sittings import Sittings
from apps.organizations.models import OrgRole
from apps.programs.models import ModuleItem


@dataclass(frozen=True)
class Step:
    """A module in the order in which a learner comes to it."""

    course: CoursePlan
    module: Module


class Studies:
    """The weeks of one group, told in the order in which they happened."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.sittings = Sittings(group)
        self._items = self._module_items()
        self._left: set[UUID] = set()

    def take_attendance(self) -> None:
        """Record who was at the sessions that are over; one entry is corrected afterwards."""
        group = self.group
        held = [
            (number, session)
            for number, session in enumerate(group.sessions)
            if session.ends_at < group.now - timedelta(hours=12)
        ]
        for number, session in held:
            record_attendance(
                session=session,
                entries=[self._presence(learner, number) for learner in group.learners],
                recorded_by=group.instructor,
                at=session.ends_at,
            )
        if group.plan.corrected and len(held) > 1:
            self._correct(held[1][0])

    def study(self) -> None:
        """Let everybody work through their modules, as far as they have come."""
        paths = {learner.email: tuple(self._path(learner)) for learner in self.group.learners}
        for number in range(max(len(path) for path in paths.values())):
            wave = [(one, paths[one.email]) for one in self.group.learners]
            self._wave(number, [(one, path[number]) for one, path in wave if len(path) > number])

    def _module_items(self) -> dict[tuple[str, str], ModuleItem]:
        rows = ModuleItem.objects.filter(version__in=self.group.curriculum.courses)
        return {
            (item.version.definition.slug, item.key): item
            for item in rows.select_related("version__definition")
        }

    def _presence(self, learner: Learner, number: int) -> AttendanceEntry:
        plan, life = self.group.plan, learner.life
        missing = AttendanceEntry(learner.enrollment.id, AttendanceStatus.ABSENT)
        if plan.waived and plan.waived[0] == learner.email:
            return missing
        if plan.corrected and plan.corrected[0] == learner.email and number == 1:
            return missing
        chance = luck(learner.email, "session", str(number))
        if chance < life.attends:
            is_late = luck(learner.email, "late", str(number)) < 0.12
            status = AttendanceStatus.LATE if is_late else AttendanceStatus.PRESENT
            return AttendanceEntry(learner.enrollment.id, status)
        if luck(learner.email, "excused", str(number)) < 0.3:
            return AttendanceEntry(learner.enrollment.id, AttendanceStatus.EXCUSED)
        return missing

    def _correct(self, number: int) -> None:
        assert self.group.plan.corrected  # noqa: S101
        email, status, note = self.group.plan.corrected
        session = self.group.sessions[number]
        enrollment = self.group.learner(email).enrollment
        record_attendance(
            session=session,
            entries=[AttendanceEntry(enrollment.id, status, note=note)],
            recorded_by=self.group.instructor,
            at=session.ends_at + timedelta(days=1),
            expected_revisions={enrollment.id: 1},
        )

    def _path(self, learner: Learner) -> Iterator[Step]:
        """Yield the modules a learner comes to: the required courses, then the chosen ones."""
        courses = self.group.organization.program.courses
        chosen = sorted(
            (course for course in courses if not course.is_required),
            key=lambda course: luck(learner.email, course.slug),
        )[: self.group.organization.electives]
        steps = [
            Step(course, module)
            for course in (*(c for c in courses if c.is_required), *chosen)
            for module in course.modules
        ]
        yield from steps[: learner.life.modules]

    def _wave(self, number: int, working: Sequence[tuple[Learner, Step]]) -> None:
        group = self.group
        day = group.plan.starts + (number + 1) * group.plan.pace
        # Not an hour of today: who waits for what must not depend on when the demo is loaded.
        ends = group.moment(day, 20) if day < 0 else group.now
        for learner, step in working:
            if learner.enrollment.id in self._left:
                continue
            early = luck(learner.email, step.module.key) * group.plan.pace * 0.5
            at = min(ends - timedelta(days=early), group.now - timedelta(hours=3))
            self._read(learner, step, at)
            for task in step.module.items:
                if isinstance(task, Task):
                    self.sittings.take(learner, task, at)
        if group.plan.withdrawn and number == 2:
            self._withdraw(ends)
        project_progress(
            enrollment_ids=[learner.enrollment.id for learner in group.learners], at=ends
        )

    def _withdraw(self, at: datetime) -> None:
        learner = self.group.learner(self.group.plan.withdrawn)
        withdraw(enrollment=learner.enrollment, actor=self.group.director, at=at)
        self._left.add(learner.enrollment.id)

    def _read(self, learner: Learner, step: Step, at: datetime) -> None:
        """Assert what the learner read; what is locked is refused, and they leave it at that."""
        assertions = []
        moment = at - timedelta(hours=1)
        for planned in step.module.items:
            if isinstance(planned, Task) or _is_skipped(learner, planned):
                continue
            item = self._items[step.course.slug, planned.key]
            spent = timedelta(minutes=planned.minutes * (0.7 + luck(learner.email, planned.key)))
            seconds = int(spent.total_seconds())
            assertions += [
                Assertion(learner.enrollment.id, EventType.ITEM_STARTED, item.id, moment),
                Assertion(
                    learner.enrollment.id,
                    EventType.ITEM_COMPLETED,
                    item.id,
                    moment + spent,
                    time_spent=seconds,
                ),
            ]
            moment += spent
        principal = as_member(learner.contact, OrgRole.LEARNER)
        assert_progress(principal=principal, assertions=assertions, at=max(at, moment))


def _is_skipped(learner: Learner, planned: Item) -> bool:
    """Return whether the learner leaves out something that nobody requires."""
    is_optional = isinstance(planned, External) and not planned.is_required
    return is_optional and luck(learner.email, planned.key, "skipped") < 0.5
