"""`manage.py run_cohort`: a roster and a question bank become a program with a running cohort."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.assessment.services.imports import BankImport
from apps.cohorts.roster.reader import MAX_BYTES, read_roster
from apps.cohorts.roster.records import Roster
from apps.cohorts.services import RosterReport, RowOutcome
from apps.core.clock import now
from apps.core.problems import Problem
from apps.core.tenancy import connection, tenant_context
from apps.demo.own_files import Order, Run, run_cohort
from apps.organizations.hosts import base_url
from apps.organizations.models import Organization, ProvisioningStep

NOTHING_DONE, LEFT_SOME_OUT = 1, 3

EXIT_CODES = """
exit codes:
  0  everything in both files was taken (in a dry run: would be)
  1  nothing was changed; the reason is on standard error
  2  the command line cannot be understood
  3  done, but some rows or questions were refused; the report says which and why
"""


class Command(BaseCommand):
    help = (
        "Make a program, its assessment and an open cohort of your own files, and report on every "
        "row and question. All of it or nothing."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name,
            subcommand,
            epilog=EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **kwargs,
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", required=True, help="its short name")
        parser.add_argument(
            "--roster", required=True, type=Path, help="a CSV file or a OneRoster package (.zip)"
        )
        parser.add_argument("--questions", required=True, type=Path, help="a GIFT file")
        parser.add_argument("--program", required=True, type=_title, help="the program's title")
        parser.add_argument(
            "--cohort", default="", help="the cohort's title (default: the class's or program's)"
        )
        parser.add_argument("--class", dest="class_id", default="", help="one of the roster's")
        parser.add_argument("--pass-percent", type=_percent, default=Decimal(60))
        parser.add_argument("--draw", type=_count, help="ask this many of the questions")
        parser.add_argument("--dry-run", action="store_true", help="report, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        roster = read_roster(_bytes(options["roster"]), options["roster"].name)
        order = Order(
            program=options["program"],
            questions=_bytes(options["questions"]),
            questions_name=options["questions"].name,
            roster=roster,
            cohort=options["cohort"].strip(),
            class_id=options["class_id"],
            pass_percent=options["pass_percent"],
            draw=options["draw"],
        )
        if roster.failed:
            raise CommandError("\n".join(_roster_faults(roster)), returncode=NOTHING_DONE)
        organization, host = _organization(options["organization"])
        try:
            with tenant_context(organization):
                run = run_cohort(order=order, at=now(), dry_run=options["dry_run"])
        except Problem as problem:
            raise CommandError(_told(problem), returncode=NOTHING_DONE) from problem
        self._report(order, run, dry_run=options["dry_run"], url=base_url(host))

    def _report(self, order: Order, run: Run, *, dry_run: bool, url: str) -> None:
        for line in _question_lines(order.questions_name, run.questions):
            self.stdout.write(line)
        if run.roster is not None:
            for line in _roster_lines(run.roster):
                self.stdout.write(line)
        if run.problem is not None:
            raise CommandError(_told(run.problem), returncode=NOTHING_DONE)
        done = f"“{run.cohort_title}” of “{order.program}” with {_questions(run.asked)}"
        if dry_run:
            self.stdout.write(f"Dry run: {done} would be ready. Nothing was changed.")
        else:
            self.stdout.write(f"Ready: {done}. {url}/admin/")
        if not run.is_whole:
            raise SystemExit(LEFT_SOME_OUT)


def _title(text: str) -> str:
    title = " ".join(text.split())
    if not title or len(title) > 150 or "\0" in title:
        raise argparse.ArgumentTypeError("a title has 1 to 150 characters")
    return title


def _percent(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise argparse.ArgumentTypeError("a number from 0 to 100") from error
    if not number.is_finite() or not 0 <= number <= 100 or round(number, 2) != number:
        raise argparse.ArgumentTypeError("a number from 0 to 100, with two decimals at most")
    return number


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 6 or int(text) < 1:
        raise argparse.ArgumentTypeError("a whole number from 1")
    return int(text)


def _bytes(path: Path) -> bytes:
    """Return a file's content. Raises CommandError for what is no file, or too large to read."""
    try:
        if path.is_file() and path.stat().st_size > MAX_BYTES:
            raise CommandError(f"{path} is larger than {MAX_BYTES // 1024**2} MB.")
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error


def _organization(slug: str) -> tuple[Organization, str]:
    with connection.platform():
        ready = Organization.objects.filter(provisioning=ProvisioningStep.READY)
        found = ready.filter(slug=slug).first()
        if found is None:
            known = ", ".join(ready.order_by("slug").values_list("slug", flat=True))
            raise CommandError(f"There is no organisation “{slug}”. There are: {known or 'none'}.")
        return found, found.domains.get(is_primary=True).domain


def _told(problem: Problem) -> str:
    """Return what is the matter, in lines: title, detail, single errors, classes to choose from."""
    lines = [problem.title, problem.detail] if problem.detail else [problem.title]
    lines += [f"  {error['field']}: {error['message']}" for error in problem.errors]
    classes = problem.extensions.get("classes", [])
    lines += [f"  --class {known['id']}  ({known['title']})" for known in classes]
    return "\n".join(lines)


def _roster_faults(roster: Roster) -> Iterator[str]:
    yield "Nothing of the roster can be used."
    for problem in roster.problems:
        where = problem.file if problem.line is None else f"{problem.file}, line {problem.line}"
        yield f"  {where}: {problem.message} [{problem.code}]"


def _read_as(encoding: str, *, guessed: bool) -> str:
    if not encoding:
        return ""
    return f", read as {encoding}{' (a guess: look at the accents)' if guessed else ''}"


def _question_lines(name: str, report: BankImport) -> Iterator[str]:
    yield f"Questions: {name}{_read_as(report.encoding, guessed=report.encoding_guessed)}"
    outcomes: dict[str, int] = {}
    for question in report.questions:
        outcomes[question.outcome] = outcomes.get(question.outcome, 0) + 1
        notes = " ".join(question.notes)
        code = f" [{question.code}]" if question.code else ""
        told = ": ".join(part for part in (question.title, notes) if part)
        yield f"  line {question.line:>5}  {question.outcome:<21}  {told}{code}".rstrip()
    yield _totals(outcomes)


def _roster_lines(report: RosterReport) -> Iterator[str]:
    how = f"{report.source}{_read_as(report.encoding, guessed=report.encoding_guessed)}"
    yield f"Roster: {how}"
    for outcome in report.outcomes:
        yield f"  {_place(outcome)}  {outcome.outcome:<9}  {_row(outcome)}".rstrip()
    yield _totals(report.counts)


def _place(outcome: RowOutcome) -> str:
    return f"line {outcome.line:>5}" if outcome.line is not None else "whole file"


def _row(outcome: RowOutcome) -> str:
    if outcome.code:
        column = f" (column “{outcome.column}”)" if outcome.column else ""
        name = f"{outcome.name}: " if outcome.name else ""
        return f"{name}{outcome.message}{column} [{outcome.code}]"
    return f"{outcome.name}: {', '.join(outcome.did)}" if outcome.did else outcome.name


def _totals(counts: dict[str, int]) -> str:
    return "  " + ", ".join(f"{count} {name}" for name, count in counts.items())


def _questions(count: int) -> str:
    return "one question" if count == 1 else f"{count} questions"
