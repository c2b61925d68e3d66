"""`manage.py load_demo`: the demo's organisations, lived in."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from argparse import BooleanOptionalAction
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.clock import now
from apps.core.problems import Problem
from apps.core.tenancy import connection, tenant_context
from apps.demo.content import ORGANIZATIONS
from apps.demo.content.organizations import OrganizationPlan
from apps.demo.groups import DemoBroken
from apps.demo.loading import is_loaded, load
from apps.demo.people import open_accounts
from apps.organizations.models import Organization, ProvisioningStep


class Command(BaseCommand):
    help = (
        "Make the demo's organisations and fill them through the same services as everybody. "
        "What is there already stays; an interrupted run leaves nothing half done."
    )

    requires_system_checks: list[str] = []  # it is run at each start, and they are slow

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--organization", choices=[plan.slug for plan in ORGANIZATIONS], help="only this one"
        )
        parser.add_argument(
            "--drain",
            action=BooleanOptionalAction,
            default=True,
            help="work what is owed at once, or leave it to a running worker",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # Nothing is sent for: what is owed is worked here, or found by the sweeper.
        current_app.conf.update(broker_url="memory://localhost//", broker_transport_options={})
        wanted = options["organization"]
        plans = [plan for plan in ORGANIZATIONS if wanted in (None, plan.slug)]
        missing = [plan for plan in plans if not self._is_loaded(plan)]
        if not missing:
            return
        open_accounts(member.email for plan in missing for member in plan.members)
        with _stopping_its_children():
            if len(missing) == 1:
                self._provide(missing[0])
                self._load(missing[0], drain=options["drain"])
            else:
                _fill_side_by_side(missing, drain=options["drain"])

    def _is_loaded(self, plan: OrganizationPlan) -> bool:
        organization = _ready(plan)
        if organization is None:
            return False
        with tenant_context(organization):
            loaded = is_loaded()
        if loaded:
            self._say(f"{plan.slug}: as it was")
        return loaded

    def _provide(self, plan: OrganizationPlan) -> None:
        """Have the schema made if it is missing: only the owner of the tables can."""
        if _ready(plan) is None:
            self._say(f"{plan.slug}: making its schema …")
            _manage("provision", "--slug", plan.slug, "--name", plan.name)

    def _load(self, plan: OrganizationPlan, *, drain: bool) -> None:
        began = time.perf_counter()
        organization = _ready(plan)
        if organization is None:
            raise CommandError(f"{plan.slug} was not provisioned.")

        def say(line: str) -> None:
            self._say(f"{plan.slug}: {line}")

        try:
            with tenant_context(organization):
                load(plan, now=now(), drain=drain, say=say)
        except DemoBroken as broken:
            raise CommandError(str(broken)) from broken
        except Problem as problem:
            raise CommandError(f"{plan.slug}: {problem} {problem.errors or ''}") from problem
        say(f"ready after {time.perf_counter() - began:.1f} s")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _ready(plan: OrganizationPlan) -> Organization | None:
    with connection.platform():
        ready = Organization.objects.filter(provisioning=ProvisioningStep.READY)
        found: Organization | None = ready.filter(slug=plan.slug).first()
    return found


def _command(*words: str) -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *words]


def _manage(*words: str) -> None:
    """Run one of manage.py's commands in a process of its own. Raises CommandError."""
    done = subprocess.run(_command(*words), check=False)  # noqa: S603  our own, no shell
    if done.returncode != 0:
        raise CommandError(f"manage.py {words[0]} failed with status {done.returncode}.")


@contextmanager
def _stopping_its_children() -> Iterator[None]:
    """Make of SIGTERM an exception, so that whoever waits for a child ends it first."""
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _fill_side_by_side(plans: Sequence[OrganizationPlan], *, drain: bool) -> None:
    """Make and fill each organisation in a process of its own: they share nothing but time."""
    how = "--drain" if drain else "--no-drain"
    children = [
        subprocess.Popen(_command("load_demo", "--organization", plan.slug, how))  # noqa: S603
        for plan in plans
    ]
    try:
        failed = [plan.slug for plan, child in zip(plans, children, strict=True) if child.wait()]
    finally:
        for child in children:
            child.terminate()  # it may have a child of its own, which it ends first
        for child in children:
            child.wait()
    if failed:
        raise CommandError(f"Not loaded: {', '.join(failed)}.")
