"""Loading one organisation of the demo: all of it in one transaction, or nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils.text import slugify

from apps.contacts.models import AdminAction, Contact
from apps.contacts.services import record_admin_action
from apps.core.clock import now as present
from apps.core.models import OutboxMessage
from apps.core.outbox import deliver
from apps.demo.authoring import Author, Curriculum, fill_bank, write_program
from apps.demo.catalog import adopt_platform_course
from apps.demo.content.organizations import OrganizationPlan
from apps.demo.groups import DemoBroken, Group, moment, open_group
from apps.demo.outcomes import conclude
from apps.demo.people import found, welcome
from apps.demo.shops import open_shop
from apps.demo.studies import Studies
from apps.demo.tutoring import converse
from apps.organizations.models import OrgRole

LOADED: Final = "demo.loaded"
QUESTIONS: Final = "questions.gift"
WRITTEN_BEFORE: Final = timedelta(days=14)
"""How long before its first cohort a program was published."""

Say = Callable[[str], None]


class NotEmpty(DemoBroken):
    """The organisation has people already, and the demo did not make them."""


def is_loaded() -> bool:
    """Whether the demo is all there, in the organisation in force."""
    return AdminAction.objects.filter(action=LOADED).exists()


def load(plan: OrganizationPlan, *, now: datetime, drain: bool, say: Say) -> None:
    """Fill the organisation in force with the demo; a second call changes nothing.

    With `drain` all that is owed is worked here and now, else it is left to the workers. Raises
    NotEmpty for an organisation that somebody else has filled.
    """
    if is_loaded():
        return
    if Contact.objects.exists():
        raise NotEmpty(f"{plan.slug} has people already that the demo did not make.")
    with transaction.atomic():
        _Loading(plan, now=now, say=say).run(drain=drain)
        record_admin_action(actor=None, action=LOADED, details={"at": now.isoformat()})


class _Loading:
    """One run, with what earlier steps made for later ones."""

    def __init__(self, plan: OrganizationPlan, *, now: datetime, say: Say) -> None:
        self._plan, self._now, self._say = plan, now, say

    def run(self, *, drain: bool) -> None:
        plan = self._plan
        founded_at = self._day(min(cohort.starts for cohort in plan.cohorts)) - WRITTEN_BEFORE
        with self._step("accounts"):
            owner = found(plan.members[0], at=founded_at)
            staff = [m for m in plan.members[1:] if m.role != OrgRole.LEARNER]
            welcome(staff, owner=owner, at=founded_at)
        with self._step("program, courses, assessments, requirements"):
            curriculum = self._write(owner, at=founded_at)
        if plan.adopts:
            with self._step("a course of the catalog"):
                adopt_platform_course(actor=owner, at=founded_at)
        with self._step("cohorts and rosters"):
            groups = [self._open(curriculum, owner, number) for number in range(len(plan.cohorts))]
            learners = [m for m in plan.members if m.role == OrgRole.LEARNER]
            welcome(learners, owner=owner, at=self._now - timedelta(days=20))
        for group in groups:
            with self._step(f"{group.plan.title}: sessions, lessons, attempts, grades"):
                self._live(group)
        with self._step("conversations with a tutor"):
            for group in groups:
                converse(group)
        if plan.shop is not None:
            with self._step(f"{plan.shop.title}: what it sells, its orders"):
                open_shop(
                    organization=plan,
                    plan=plan.shop,
                    curriculum=curriculum,
                    owner=owner,
                    now=self._now,
                )
        if drain:
            with self._step("work that is owed"):
                work_what_is_owed()

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self._say(f"{title}: {time.perf_counter() - began:.1f} s")

    def _day(self, days: float) -> datetime:
        return moment(self._now, self._plan.timezone, days, 8)

    def _write(self, owner: Contact, *, at: datetime) -> Curriculum:
        plan = self._plan
        bank, report = fill_bank(
            slug=slugify(plan.bank),
            title=plan.bank,
            data=(plan.folder / QUESTIONS).read_bytes(),
            filename=QUESTIONS,
            actor=owner,
        )
        refused = [question for question in report.questions if question.code]
        if refused:
            raise DemoBroken(f"{plan.slug}: question in line {refused[0].line} was refused.")
        return write_program(plan=plan.program, bank=bank, author=Author(owner, at))

    def _open(self, curriculum: Curriculum, owner: Contact, number: int) -> Group:
        return open_group(
            organization=self._plan,
            plan=self._plan.cohorts[number],
            curriculum=curriculum,
            director=owner,
            now=self._now,
        )

    def _live(self, group: Group) -> None:
        studies = Studies(group)
        studies.take_attendance()
        studies.study()
        if group.plan.is_over:
            conclude(studies)


def work_what_is_owed() -> int:
    """Deliver everything that is due in the organisation in force; return how many runs it took.

    Raises DemoBroken when something can't be worked: in the demo that is a fault of its content.
    """
    runs = 0
    while True:
        due = OutboxMessage.objects.filter(parked_at=None, available_at__lte=present())
        pairs = list(due.order_by().values_list("topic", "key").distinct())
        if not pairs:
            return runs
        for topic, key in pairs:
            deliver(topic, key)
            runs += 1
        failed = OutboxMessage.objects.exclude(last_error="").first()
        if failed is not None:
            raise DemoBroken(f"{failed.topic} {failed.key}: {failed.last_error}")
