"""The launcher's command line: `python -m config.launch demo | reset | run -- COMMAND…`."""

import argparse
import signal
import subprocess
import sys

import psycopg

from config.embedded import EmbeddedPostgresError, UnusableDataFolder
from config.launch.console import LaunchError
from config.launch.demo import Demo
from config.launch.installation import Installation


def main(arguments: list[str]) -> int:
    """Return the exit status; what went wrong is said on standard error, never as a traceback."""
    parser = argparse.ArgumentParser(prog="python -m config.launch", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="bring everything up and keep it up")
    commands.add_parser("reset", help="remove the demo's database and files")
    run = commands.add_parser("run", help="run a command in the demo's environment")
    run.add_argument("words", metavar="COMMAND", nargs="+")
    options = parser.parse_args(arguments)
    installation = Installation.here()
    try:
        if options.command == "run":
            return run_command(options.words, installation=installation)
        if options.command == "reset":
            installation.reset()
        else:
            Demo(installation).run()
    except UnusableDataFolder as error:
        return complain(f"{error}\nTo start afresh, losing the demo's data: make demo-reset")
    except (EmbeddedPostgresError, LaunchError) as error:
        return complain(str(error))
    except psycopg.Error as error:
        return complain(f"The database refuses: {error}")
    except PermissionError as error:
        return complain(f"{error.strerror}: {error.filename}")
    return 0


def run_command(words: list[str], *, installation: Installation) -> int:
    """Return the exit status of a command run with the database and environment of the demo."""
    with installation.running(attach=True) as running:
        # Ctrl-C is for the command; a handler, unlike SIG_IGN, is not handed down to it.
        signal.signal(signal.SIGINT, lambda number, frame: None)
        try:
            with subprocess.Popen(words, env=running.environment) as process:  # noqa: S603
                signal.signal(signal.SIGTERM, lambda number, frame: process.terminate())
                status = process.wait()
        except FileNotFoundError as error:
            raise LaunchError(f"There is no program '{words[0]}'.") from error
    return status if status >= 0 else 128 - status


def complain(message: str) -> int:
    """Print what went wrong and return the exit status of a failure."""
    print(f"\n{message}", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
