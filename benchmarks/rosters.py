"""A roster of 50,000 rows over real HTTP: time, CPU of every process, memory of the worker.

Tried, imported, and imported again, when nothing is new. What follows for each learner afterwards
(`learner.advance`) is not counted: the worker is stopped when the report is there.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DEBUG", "1")

import django

django.setup()

from apps.cohorts.models import Cohort  # noqa: E402
from apps.contacts.services import create_api_token  # noqa: E402
from apps.core.tenancy import connection, tenant_context  # noqa: E402
from apps.organizations.models import OrgRole  # noqa: E402
from benchmarks.attempts import PRODUCTION_LIKE  # noqa: E402
from benchmarks.processes import cpu_seconds, tree  # noqa: E402
from tests.cohorts.factories import open_cohort  # noqa: E402
from tests.conftest import organization, point_at  # noqa: E402
from tests.database import ORG_A, running_server  # noqa: E402
from tests.factories import member  # noqa: E402
from tests.flows.conftest import HttpClient, Stack, until  # noqa: E402

ROWS = int(os.environ.get("ROWS", 50_000))

# Limits of this benchmark, for 50,000 rows.
MOST_WORKER_CPU_SECONDS = 10
MOST_WORKER_MEGABYTES = 150  # beyond what it has when it is idle


@dataclass
class Run:
    """What one import took."""

    name: str
    wall: float
    worker: float
    web: float
    postgres: float
    megabytes: float


def megabytes(pid: int, field: str) -> float:
    """Return the largest figure of a process tree: VmRSS now, or VmHWM at its peak."""
    found = []
    for one in tree(pid):
        for line in Path(f"/proc/{one}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                found.append(int(line.split()[1]) / 1024)
    return max(found)


def roster() -> bytes:
    lines = (f"Person {n},p{n}@example.org,s-{n}\n" for n in range(ROWS))
    return f"name,email,external id\n{''.join(lines)}".encode()


def one_run(stack: Stack, http: HttpClient, cohort: Cohort, postgres: int, name: str) -> Run:
    """Upload, wait for the report, stop the worker."""
    stack.start_worker()
    worker, web = stack.running["worker"].pid, stack.running["web"].pid
    until(lambda: "ready" in stack.log("worker"), what="the worker")
    time.sleep(1)
    idle = megabytes(worker, "VmRSS")
    pids = (worker, web, postgres)
    before, started = [cpu_seconds(pid) for pid in pids], time.monotonic()
    query = "?dry_run=1" if name == "trial" else ""
    begun = http.post(
        f"/v1/cohorts/{cohort.id}/roster{query}",
        data=roster(),
        headers={"Content-Type": "text/csv"},
    )
    assert begun.status_code == 202, begun.text
    address = begun.headers["Location"]
    asked: dict[str, Any] = {}
    while asked.get("status") not in ("done", "failed"):
        time.sleep(0.2)
        asked = http.get(address).json()
    assert asked["status"] == "done", asked
    spent = [after - b for after, b in zip(map(cpu_seconds, pids), before, strict=True)]
    wall, peak = time.monotonic() - started, megabytes(worker, "VmHWM")
    stack.kill("worker")
    print(f"{name}: {asked['counts']}")
    return Run(name, wall, *spent, peak - idle)


def report(runs: list[Run]) -> int:
    """Print a table; return 1 beyond a limit."""
    print(f"{'':20}{'wall s':>8}{'worker':>8}{'web':>7}{'postgres':>9} CPU s   worker + MB")
    beyond = False
    for run in runs:
        over = run.worker > MOST_WORKER_CPU_SECONDS or run.megabytes > MOST_WORKER_MEGABYTES
        beyond |= over
        print(
            f"{run.name:20}{run.wall:>8.1f}{run.worker:>8.1f}{run.web:>7.1f}{run.postgres:>9.1f}"
            f"{run.megabytes:>20.0f}{'  over the limit' if over else ''}"
        )
    return 1 if beyond else 0


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder) / "pg") as server:
        postgres = int((Path(folder) / "pg/cluster/postmaster.pid").read_text().split()[0])
        with server.clone("assay_bench") as name:
            point_at(server, name)
            stack = Stack(server, name, Path(folder))
            stack.environment |= PRODUCTION_LIKE | {"OBJECT_STORE": f"{folder}/objects"}
            stack.start_web(workers=1)
            try:
                with tenant_context(organization(ORG_A)):
                    _row, secret = create_api_token(contact=member(OrgRole.OWNER), name="bench")
                    cohort, http = open_cohort(), stack.client(secret)
                    names = ("trial", "import", "again, all known")
                    return report([one_run(stack, http, cohort, postgres, one) for one in names])
            finally:
                stack.stop()
                connection.close()


if __name__ == "__main__":
    sys.exit(main())
