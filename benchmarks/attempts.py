"""A whole attempt of ten items over real HTTP: SQL statements and CPU, of every process.

One learner's browser (session cookie) starts, opens, saves each answer, hands in; a Celery worker
grades; the learner opens the result. CPU is that of gunicorn, the worker and PostgreSQL together,
statements are those that PostgreSQL logged for the application, transaction control included.
Moodle 4.5.6 on such a machine: 567 statements and 383 ms for ten questions (PHP-FPM and
PostgreSQL).
"""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DEBUG", "1")

import django

django.setup()

from apps.cohorts.services import enroll  # noqa: E402
from apps.core.tenancy import connection, tenant_context  # noqa: E402
from benchmarks.processes import StatementLog, cpu_seconds  # noqa: E402
from tests.assessment.factories import (  # noqa: E402
    AUTOMATIC,
    RIGHT,
    Question,
    cohort_with,
    published_assessment,
)
from tests.conftest import organization, point_at  # noqa: E402
from tests.database import ORG_A, running_server  # noqa: E402
from tests.factories import NOON, PASSWORD, member  # noqa: E402
from tests.flows.conftest import Browser, Stack, until  # noqa: E402
from tests.outbox import drain  # noqa: E402

ATTEMPTS = int(os.environ.get("ATTEMPTS", 40))
ITEMS = 10

# Limits of this benchmark; the ratio is to an authenticated view of one query in the same run.
MOST_STATEMENTS = 60
MOST_STATEMENTS_A_SAVE = 4


PRODUCTION_LIKE = {
    "DEBUG": "0",
    "SECRET_KEY": "a benchmark's",
    "ASSAY_KEY": "YmVuY2htYXJrLWtleS1ub3QtZm9yLXByb2R1Y3Rpb24=",
    "PUBLIC_SCHEME": "http",
    "LOG_LEVEL": "WARNING",
}


@dataclass(frozen=True)
class Figures:
    """Statements that the application sent, and CPU milliseconds of each process."""

    statements: float
    cpu_ms: dict[str, float]

    @property
    def total_ms(self) -> float:
        return sum(self.cpu_ms.values())


@dataclass
class Meter:
    """Measures what all processes spend between two moments."""

    stack: Stack
    postgres: int
    log: StatementLog
    observer: psycopg.Connection[Any]

    def ask(self, sql: LiteralString) -> int:
        """Return a count, asked as a superuser: the log counts the application's statements."""
        found = self.observer.execute(sql).fetchone()
        return int(found[0]) if found else 0

    def start(self) -> None:
        self.log.new()
        self._cpu = self._spent()

    def read(self, times: int) -> Figures:
        """Return what one of `times` repetitions took."""
        lines = self.log.new()
        spent = self._spent()
        cpu_ms = {name: (spent[name] - self._cpu[name]) * 1000 / times for name in spent}
        return Figures(len(lines) / times, cpu_ms)

    def _spent(self) -> dict[str, float]:
        """Return the CPU seconds so far of each process and its children."""
        pids = {name: process.pid for name, process in self.stack.running.items()}
        return {name: cpu_seconds(pid) for name, pid in {**pids, "postgres": self.postgres}.items()}


def ten_items() -> tuple[Any, dict[str, Any]]:
    """Return questions of the automatic kinds and the right answers to them."""
    picked = [
        Question(f"{question.key}-{number}", question.kind, question.key_data, "1")
        for number, question in zip(range(ITEMS), itertools.cycle(AUTOMATIC), strict=False)
    ]
    return picked, {question.key: RIGHT[question.key.rsplit("-", 1)[0]] for question in picked}


def take(
    browser: Browser, start_path: str, answers: dict[str, Any], after: Callable[[str], None]
) -> str:
    """Start, open, save all, hand in; call `after` with each step; return the attempt's address."""
    path: str = browser.write("POST", start_path).headers["Location"]
    after("start")
    assert browser.get(path).status_code == 200
    after("open")
    given = [{"item": item, "value": value, "sequence": 1} for item, value in answers.items()]
    saved = browser.write("PUT", f"/v1{path}/responses", json={"responses": given})
    assert saved.status_code == 200, saved.text
    after("save all")
    assert browser.write("POST", f"{path}/submit").status_code == 302
    return path


def measure(stack: Stack, meter: Meter) -> int:
    """Print the figures; return 1 when a limit was passed."""
    picked, right = ten_items()
    version = published_assessment(picked, attempts_allowed=None)
    cohort = cohort_with(version)
    learner = member()
    enrollment = enroll(cohort=cohort, contact=learner, actor=None, at=NOON)
    drain()  # what publishing owes: no process of the benchmark sends for it
    answers = {str(item.id): right[item.key] for item in version.items.all()}
    start_path = f"/enrollments/{enrollment.id}/assessments/{version.definition_id}/start"
    browser = Browser(stack.port, f"a.localhost:{stack.port}", "")
    browser.sign_in(learner.channels.get().value, PASSWORD)

    def graded(count: int) -> bool:
        asked = "SELECT count(*) FROM assessment_attempts WHERE status = 'graded'"
        return meter.ask(asked) >= count

    def settled() -> bool:
        return meter.ask("SELECT count(*) FROM outbox_messages") == 0

    for warm in range(3):
        browser.get(f"{take(browser, start_path, answers, lambda step: None)}/result")
        until(lambda count=warm + 1: graded(count), what="grading")

    meter.start()
    for _ in range(200):
        browser.get("/v1/me")
    empty = meter.read(200)

    meter.start()
    for done in range(ATTEMPTS):
        path = take(browser, start_path, answers, lambda step: None)
        until(lambda count=done + 4: graded(count), what="grading")
        assert browser.get(f"{path}/result").status_code == 200
    until(settled, what="the outbox to be empty")
    attempt = meter.read(ATTEMPTS)

    meter.start()
    steps: list[str] = []

    def note(step: str) -> None:
        lines = meter.log.new()
        if os.environ.get("SHOW_STATEMENTS"):
            print(f"-- {step}", *lines, sep="\n")
        steps.append(f"{step} {len(lines)}")

    path = take(browser, start_path, answers, note)
    until(lambda: graded(ATTEMPTS + 4), what="grading")
    until(settled, what="the outbox to be empty")
    note("submit, grade and what follows")
    browser.get(f"{path}/result")
    note("review")
    print("statements by step:", ", ".join(steps))

    path = browser.write("POST", start_path).headers["Location"]
    item_id, value = next(iter(answers.items()))
    meter.start()
    for sequence in range(1, 201):
        browser.write(
            "PUT", f"/v1{path}/responses/{item_id}", json={"value": value, "sequence": sequence}
        )
    save = meter.read(200)
    meter.start()
    time.sleep(5)
    idle = meter.read(5)
    return report(
        [
            ("empty authenticated view", empty, None),
            ("attempt of 10 items", attempt, MOST_STATEMENTS),
            ("one autosave", save, MOST_STATEMENTS_A_SAVE),
        ],
        idle,
    )


def report(rows: list[tuple[str, Figures, int | None]], idle: Figures) -> int:
    """Print a table, with each CPU figure's ratio to the first row; return 1 beyond a limit."""
    beyond = False
    processes = list(idle.cpu_ms)
    heads = "".join(f"{name:>10}" for name in processes)
    print(f"{'':28}{'statements':>11}{'limit':>7}{'CPU ms':>9}{'ratio':>8}  of which{heads}")
    for name, figures, limit in rows:
        over = limit is not None and figures.statements > limit
        beyond |= over
        print(
            f"{name:28}{figures.statements:>11.1f}{limit or '':>7}{figures.total_ms:>9.2f}"
            f"{figures.total_ms / rows[0][1].total_ms:>8.1f}{'':10}"
            + "".join(f"{figures.cpu_ms[process]:>10.2f}" for process in processes)
            + ("  over the limit" if over else "")
        )
    print(f"idle processes: {idle.total_ms:.1f} ms CPU a second, included above")
    return 1 if beyond else 0


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder) / "pg") as server:
        postgres = int((Path(folder) / "pg/cluster/postmaster.pid").read_text().split()[0])
        with server.clone("assay_bench") as name:
            with psycopg.connect(server.superuser_url, autocommit=True) as admin:
                admin.execute("ALTER DATABASE assay_bench SET log_statement = 'all'")
            point_at(server, name)
            stack = Stack(server, name, Path(folder))
            stack.environment |= PRODUCTION_LIKE
            stack.start_web(workers=1)
            stack.start_worker()
            log = StatementLog(Path(folder) / "pg/server.log", name)
            try:
                observer = psycopg.connect(server.superuser_url, dbname=name, autocommit=True)
                with tenant_context(organization(ORG_A)), observer:
                    observer.execute("SET search_path TO " + str(connection.schema_name))
                    return measure(stack, Meter(stack, postgres, log, observer))
            finally:
                stack.stop()
                connection.close()


if __name__ == "__main__":
    sys.exit(main())
