"""Search among 10,000 lessons: median and p95 of staff and learners, beside a plain round trip.

Measured inside the process that asks the database: what HTTP and a page cost on top is the same
for every page. A query that fits few lessons, one that fits a tenth and one that fits all.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DEVELOPMENT", "1")

import django

django.setup()

import psycopg  # noqa: E402

from apps.cohorts.models import CohortEnrollment  # noqa: E402
from apps.core.tenancy import connection, tenant_context  # noqa: E402
from apps.core.versions import publish  # noqa: E402
from apps.programs.models import Course, CourseModule, CourseVersion, ModuleItem  # noqa: E402
from apps.search.rules import read_query  # noqa: E402
from apps.search.selectors.findings import search_as_learner, search_as_staff  # noqa: E402
from apps.search.services import rebuild  # noqa: E402
from tests.cohorts.factories import open_cohort, person  # noqa: E402
from tests.conftest import organization, point_at  # noqa: E402
from tests.database import ORG_A, running_server  # noqa: E402
from tests.programs.factories import AUTHORED, published_program  # noqa: E402
from tests.search.factories import learner_of  # noqa: E402

COURSES, LESSONS, WORDS = 100, 100, 300
TAKEN = 5
"""Courses that the learner takes: 500 lessons of the 10,000."""
ROUNDS = int(os.environ.get("ROUNDS", 60))

# Limits of this benchmark, as multiples of `SELECT 1`, for the median.
MOST_ROUND_TRIPS = {"rare": 100, "tenth": 300, "common": 1500, "misspelt": 300}
MOST_ROUND_TRIPS_OF_LEARNER = 300

ASKED = {
    "rare": "needle haystack",
    "tenth": "tourniquet",
    "common": "bleeding",
    "misspelt": "tuorniquet handlign",
}


def build() -> CohortEnrollment:
    """Publish the courses, and return somebody who takes a few of them."""
    chance = random.Random(7)
    vocabulary = [f"{a}{b}" for a in "bcdfglmnprst" for b in ("ando", "irel", "ubat", "ostim")]
    versions = [course(chance, vocabulary, number) for number in range(COURSES)]
    cohort = open_cohort(published_program(*versions[:TAKEN]))
    return learner_of(cohort, person("Ada"))


def course(chance: random.Random, vocabulary: list[str], number: int) -> CourseVersion:
    definition = Course.objects.create(slug=f"course-{number}", title=f"Course {number}")
    draft = CourseVersion.objects.create(definition=definition)
    module = CourseModule.objects.create(version=draft, key="all", title="All", position=1)
    ModuleItem.objects.bulk_create(
        ModuleItem(
            version=draft,
            module=module,
            key=f"lesson-{place}",
            title=title(chance, vocabulary, place),
            position=place,
            body_markdown=text(chance, vocabulary, number, place),
        )
        for place in range(1, LESSONS + 1)
    )
    return publish(version=draft, actor=None, at=AUTHORED)


def title(chance: random.Random, vocabulary: list[str], place: int) -> str:
    words = chance.choices(vocabulary, k=4)
    return " ".join(["Tourniquet handling" if place % 50 == 0 else "Lesson", *words])


def text(chance: random.Random, vocabulary: list[str], number: int, place: int) -> str:
    words = [*chance.choices(vocabulary, k=WORDS), "bleeding"]
    words += ["tourniquet"] if place % 10 == 0 else []
    words += ["needle haystack"] if number % 10 == 0 and place == 1 else []
    chance.shuffle(words)
    return " ".join(words)


def times(work: Callable[[], Any]) -> tuple[float, float]:
    """Return median and 95th percentile in milliseconds."""
    work()
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1]


def select_1() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()


def report(enrollment: CohortEnrollment) -> int:
    """Print a table; return 1 beyond a limit."""
    floor, floor_p95 = times(select_1)
    print(f"SELECT 1: {floor:.2f} ms, p95 {floor_p95:.2f} ms\n")
    print(f"{'':22}{'hits':>6}{'median ms':>11}{'p95 ms':>9}{'× SELECT 1':>12}{'limit':>7}")
    beyond = False
    for name, asked in ASKED.items():
        query = read_query(asked)
        runs: tuple[tuple[str, Callable[[], Any], int], ...] = (
            ("staff", lambda query=query: search_as_staff(query), MOST_ROUND_TRIPS[name]),
            (
                "learner",
                lambda query=query: search_as_learner(enrollment.contact_id, query),
                MOST_ROUND_TRIPS_OF_LEARNER,
            ),
        )
        for who, find, most in runs:
            hits = len(find())
            median, p95 = times(lambda find=find: find()[0:20])
            over = median / floor > most
            beyond |= over
            print(
                f"{who + ', ' + name:22}{hits:>6}{median:>11.1f}{p95:>9.1f}"
                f"{median / floor:>12.0f}{most:>7}{'  over the limit' if over else ''}"
            )
    return 1 if beyond else 0


def main() -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder) / "pg") as server,
        server.clone("assay_bench") as name,
    ):
        point_at(server, name)
        try:
            with tenant_context(organization(ORG_A)):
                enrollment = build()
                started = time.monotonic()
                rows = rebuild()
                print(f"index of {rows} documents: {time.monotonic() - started:.1f} s")
                with psycopg.connect(server.superuser_url, dbname=name, autocommit=True) as owner:
                    owner.execute("VACUUM ANALYZE")  # as autovacuum does before long
                return report(enrollment)
        finally:
            connection.close()


if __name__ == "__main__":
    sys.exit(main())
