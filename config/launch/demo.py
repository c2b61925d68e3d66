"""`make demo`: everything on this machine, from an empty folder to addresses to open."""

import http
import http.client
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from queue import Empty, SimpleQueue
from types import FrameType

from config.embedded.programs import tied_command
from config.launch.console import LaunchError, say, step
from config.launch.installation import PROJECT, Installation, Running, web_port
from config.launch.services import Service, ServiceSpec, end_group

HOST = "127.0.0.1"
ANSWER_SECONDS = 60.0
STOP_SECONDS = 5.0


class StopRequested(BaseException):
    """Ctrl-C or SIGTERM: not an error, so that nothing in between handles it as one."""


class Demo:
    """One run of the demo: its services, and what Ctrl-C does to them."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._services: list[Service] = []
        self._ended: SimpleQueue[Service] = SimpleQueue()
        self._stopping = False

    def run(self) -> None:
        """Bring everything up and keep it up until Ctrl-C or SIGTERM; then stop it in order.

        Raises LaunchError, EmbeddedPostgresError or psycopg.Error when something cannot start or
        ends by itself; what was started is stopped then too.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        began = time.monotonic()
        try:
            with ExitStack() as stack:
                try:
                    running = self._bring_up(stack)
                    say(f"\nUp in {time.monotonic() - began:.1f} s. Ctrl-C stops everything.\n")
                    manage("demo_guide", environment=running.environment)
                    self._watch(running)
                finally:
                    self._stopping = True
        except StopRequested:
            say("Stopped.")

    def _bring_up(self, stack: ExitStack) -> Running:
        self._installation.require_unused()
        port = port_number(web_port())
        require_free(port)
        with step("Starting the database"):
            running = stack.enter_context(self._installation.running())
        self._installation.remember_port(port)
        environment = running.environment
        with step("Bringing tables and grants up to date"):
            manage("setup", environment=environment)
        with step("Loading the demo data"):
            manage("load_demo", environment=environment)
        with step("Starting worker, beat and web"):
            for spec in self._specs(port):
                service = Service.start(spec, environment=environment, ended=self._ended)
                self._services.append(service)
                stack.callback(service.stop)
            for service in self._services:
                service.wait_until_ready()
            wait_for_answer(port)
        return running

    def _specs(self, port: int) -> tuple[ServiceSpec, ...]:
        """Return the services in the order of their start; they stop in the opposite order."""
        python = (sys.executable, "-m")
        # On one's own machine root is as good as anybody.
        silent = (sys.executable, "-W", "ignore:You're running the worker with superuser", "-m")
        celery = ("celery", "--quiet", "--app", "config")
        schedule = str(self._installation.beat_schedule)
        return (
            ServiceSpec(
                name="worker",
                command=(
                    *(*silent, *celery, "worker", "--concurrency", "2", "--loglevel", "info"),
                    # These talk to other workers, of which there are none.
                    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
                ),
                ready_mark=" ready.",
            ),
            ServiceSpec(
                name="beat",
                command=(
                    *(*python, *celery, "beat", "--loglevel", "info"),
                    *("--schedule", schedule, "--pidfile", ""),
                ),
                ready_mark="beat: Starting",
            ),
            ServiceSpec(
                name="web",
                command=(
                    *(*python, "gunicorn", "config.wsgi", "--workers", "2"),
                    *("--bind", f"{HOST}:{port}", "--no-control-socket"),
                ),
                ready_mark="Booting worker",
            ),
        )

    def _watch(self, running: Running) -> None:
        """Return never; raise LaunchError when a service or the database has ended."""
        while True:
            try:
                ended = self._ended.get(timeout=1.0)
            except Empty:
                if running.server is not None and running.server.pid is None:
                    raise LaunchError(
                        f"The database ended by itself; see {running.server.log_file}."
                    ) from None
            else:
                raise LaunchError(ended.obituary())

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Stop everything in order; when asked again meanwhile, end the services at once."""
        if not self._stopping:
            self._stopping = True
            say("\nStopping web, beat, worker and the database …")
            raise StopRequested
        for service in self._services:
            service.kill()


def manage(command: str, *, environment: dict[str, str]) -> None:
    """Run one of manage.py's commands and show its output. Raises LaunchError when it fails.

    When it is interrupted, the command and whatever it started have ended before this returns.
    """
    script = str(PROJECT / "manage.py")
    process = subprocess.Popen(  # noqa: S603  the command is ours, no shell
        tied_command(sys.executable, script, command, farewell=signal.SIGTERM),
        env=environment,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
    )
    try:
        status = process.wait()
    except BaseException:
        end_group(process, patience=STOP_SECONDS)
        raise
    if status != 0:
        raise LaunchError(f"'manage.py {command}' failed with status {status}.")


def port_number(text: str) -> int:
    """Return the port that a text names. Raises LaunchError when it names none."""
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise LaunchError(f"PORT is a number below 65536, not '{text}'.")
    return int(text)


def require_free(port: int) -> None:
    """Raise LaunchError when another program listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise LaunchError(
                f"Port {port} on {HOST} cannot be used: {error.strerror}. Stop the program that "
                "uses it, or choose another port: make demo PORT=8001"
            ) from error


def wait_for_answer(port: int) -> None:
    """Return when the web service answers a request. Raises LaunchError when it fails to."""
    connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/", headers={"Host": f"localhost:{port}"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise LaunchError(f"web does not answer on {HOST}:{port}: {error!r}.") from error
    finally:
        connection.close()
    if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        raise LaunchError(f"web answers with status {status} on {HOST}:{port}.")
