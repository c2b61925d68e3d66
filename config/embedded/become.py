"""Becomes another program: `python become.py PARENT_PID IDENTITY SIGNAL PROGRAM ARGUMENT…`.

A script of its own because it runs between fork and exec, where no thread or lock of the
caller may be touched. It needs the standard library only and never returns. On Linux the
program gets the signal when its parent dies, however that happens.

PostgreSQL refuses to run as root. Identities:

- `self`: the calling user, unchanged.
- `namespace`: root, seen as nobody inside a new user namespace. Files stay root's, so nothing
  about the folders above them matters.
- `nobody`: root where namespaces are forbidden (many containers). The process really becomes
  nobody, but keeps the one capability that lets it reach folders below a private home.
"""

import ctypes
import os
import pwd
import sys
from pathlib import Path

NOBODY = 65534

# Linux constants: linux/sched.h, linux/prctl.h, linux/capability.h.
CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_OVERRIDE = 1

ON_LINUX = sys.platform.startswith("linux")


class CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class CapabilitySets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def enter_namespace(libc: ctypes.CDLL) -> None:
    """Map root to nobody in a new user namespace. Raises OSError where that is not allowed."""
    group = os.getegid()
    if libc.unshare(CLONE_NEWUSER) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"{NOBODY} 0 1"),
        ("gid_map", f"{NOBODY} {group} 1"),
    ):
        Path("/proc/self", name).write_text(content, encoding="ascii")


def drop_to_nobody(libc: ctypes.CDLL | None) -> None:
    """Become the user nobody, on Linux still able to pass through private folders."""
    if libc is not None:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    nobody = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
    if libc is not None:
        mask = 1 << CAP_DAC_OVERRIDE
        sets = (CapabilitySets * 2)(CapabilitySets(mask, mask, mask), CapabilitySets(0, 0, 0))
        header = CapabilityHeader(CAPABILITY_VERSION_3, 0)
        # A container without this capability still works where the folders are open to all.
        if libc.capset(ctypes.byref(header), ctypes.byref(sets)) == 0:
            libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def main(parent: int, identity: str, farewell: int, command: list[str]) -> None:
    """Take the identity, tie this process to its parent's life, and exec the command."""
    libc = ctypes.CDLL(None, use_errno=True) if ON_LINUX else None
    if identity == "namespace":
        if libc is None:
            raise OSError("user namespaces exist on Linux only")
        enter_namespace(libc)
    elif identity == "nobody":
        drop_to_nobody(libc)
    if libc is not None:
        # After the change of identity, which would clear it.
        libc.prctl(PR_SET_PDEATHSIG, farewell, 0, 0, 0)
        if os.getppid() != parent:
            raise OSError("the process that starts it has already ended")
    os.execv(command[0], command)  # noqa: S606  there is no shell on purpose


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:])
    except OSError as error:
        sys.exit(f"error: {sys.argv[4]}: {error}")
