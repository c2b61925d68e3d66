"""What the launcher says, and how it ends when it cannot go on."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

COLOURS = {"web": "36", "worker": "33", "beat": "35", "postgres": "34"}


class LaunchError(Exception):
    """The launch cannot go on; the message tells a person what to do."""


def say(text: str = "") -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


def say_for(name: str, line: str) -> None:
    """Print one line of a service, prefixed with its name, in its colour on a terminal."""
    prefix = f"{name:>8} |"
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        prefix = f"\033[{COLOURS.get(name, '37')}m{prefix}\033[0m"
    say(f"{prefix} {line}")


@contextmanager
def step(title: str) -> Iterator[None]:
    """Say what is being done, then how long it took."""
    say(f"• {title} …")
    began = time.monotonic()
    yield
    say(f"  done in {time.monotonic() - began:.1f} s")
