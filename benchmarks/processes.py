"""What processes and the database spent, read from the system itself."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """Return a process and everything it started that still runs."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += tree(int(child))
    return found


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process tree, with that of its ended children."""
    total = 0
    for member in tree(pid):
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(field) for field in fields[11:15])
    return total / TICKS_PER_SECOND


@dataclass
class StatementLog:
    """The server's log, which holds every statement of one database (log_statement = all)."""

    path: Path
    database: str
    users: tuple[str, ...] = ("assay_app",)

    def __post_init__(self) -> None:
        self._offset = self.path.stat().st_size
        users = "|".join(map(re.escape, self.users))
        self._line = re.compile(rf" ({users})@{re.escape(self.database)} LOG:  (statement|execute)")

    def new(self) -> list[str]:
        """Return the lines of the statements since the last call."""
        with self.path.open(errors="replace") as log:
            log.seek(self._offset)
            text = log.read()
            self._offset = log.tell()
        return [line for line in text.splitlines() if self._line.search(line)]
