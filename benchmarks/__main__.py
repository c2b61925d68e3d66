"""`make bench`: run every benchmark, or the ones named; exit 1 when a stated limit is passed."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = ("attempts", "otlp", "rosters", "search")


def main(names: list[str]) -> int:
    """Return 0 when every benchmark kept its limits."""
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}")
        return 2
    failed = [
        name
        for name in names or BENCHMARKS
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode
    ]
    if failed:
        print(f"beyond a stated limit: {', '.join(failed)}")
    return 1 if failed else 0


sys.exit(main(sys.argv[1:]))
