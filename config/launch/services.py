"""Child processes that run as long as the launcher: started, watched and stopped as one."""

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import IO

from config.embedded.programs import tied_command
from config.launch.console import LaunchError, say, say_for

LAST_LINES = 20
# What beat asks for every few seconds would bury all else; when a service dies it is shown.
ROUTINE = ("Scheduler: Sending due task", "core.sweep_outbox", "assessment.close_expired")


@dataclass(frozen=True)
class ServiceSpec:
    """How to run one service, and the words in its log by which it says that it is ready."""

    name: str
    command: Sequence[str]
    ready_mark: str
    ready_seconds: float = 60.0
    stop_seconds: float = 20.0


@dataclass
class Service:
    """A running service; whatever it writes is shown with its name in front."""

    spec: ServiceSpec
    process: subprocess.Popen[str]
    ended: SimpleQueue["Service"]
    ready: threading.Event = field(default_factory=threading.Event)
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))

    @classmethod
    def start(
        cls, spec: ServiceSpec, *, environment: dict[str, str], ended: SimpleQueue["Service"]
    ) -> "Service":
        """Start the service; `ended` will receive it when it has ended, for whatever reason."""
        process = subprocess.Popen(  # noqa: S603  the command is ours, no shell
            tied_command(*spec.command, farewell=signal.SIGTERM),
            env=environment,
            errors="replace",
            # Ctrl-C in the terminal reaches the launcher alone, which stops them in order.
            start_new_session=True,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None  # noqa: S101  because of PIPE
        service = cls(spec=spec, process=process, ended=ended)
        threading.Thread(target=service._pump, args=[process.stdout], daemon=True).start()
        return service

    def wait_until_ready(self) -> None:
        """Return once the service has said that it is ready.

        Raises LaunchError when it ends instead, or takes too long.
        """
        if not self.ready.wait(self.spec.ready_seconds):
            raise LaunchError(
                f"{self.spec.name} was not ready after {self.spec.ready_seconds:.0f} s."
            )
        if self.process.poll() is not None:
            raise LaunchError(self.obituary())

    def obituary(self) -> str:
        """Return how the service ended, with its last lines."""
        status = self.process.wait()
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        last = "\n".join(f"    {line}" for line in self.lines)
        return f"{self.spec.name} {how}. Its last lines:\n{last or '    (none)'}"

    def stop(self) -> None:
        """Ask it to end, and end it by force when it takes too long."""
        if not end_group(self.process, patience=self.spec.stop_seconds):
            say(f"{self.spec.name} did not stop and was ended by force.")

    def kill(self) -> None:
        """End it and its children at once."""
        kill_group(self.process)

    def _pump(self, output: IO[str]) -> None:
        for line in output:
            text = line.rstrip()
            self.lines.append(text)
            if not any(word in text for word in ROUTINE):
                say_for(self.spec.name, text)
            if self.spec.ready_mark in text:
                self.ready.set()
        self.process.wait()
        self.ready.set()  # nobody needs to wait longer
        self.ended.put(self)


def end_group(process: subprocess.Popen[str] | subprocess.Popen[bytes], *, patience: float) -> bool:
    """Ask a process that leads its group to end, then end what is left of the group by force.

    Return whether it ended by itself within `patience` seconds.
    """
    is_willing = True
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            is_willing = False
    kill_group(process)
    process.wait()
    return is_willing


def kill_group(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """End a process that leads its group, and its children, at once."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
