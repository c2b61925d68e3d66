"""OneRoster packages for the tests of their reader."""

import io
import zipfile
from collections.abc import Mapping

USERS = """sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,givenName,\
familyName,email
u1,,,true,o1,teacher,ada,Ada,Lovelace,ada@example.org
u2,,,true,o1,student,alan,Alan,Turing,alan@example.org
u3,,,true,o1,student,grace,Grace,Hopper,
"""
CLASSES = """sourcedId,status,dateLastModified,title
c1,,,Ladders
c2,,,Ropes
"""
ENROLLMENTS = """sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role
e1,,,c1,o1,u1,teacher
e2,,,c1,o1,u2,student
e3,,,c2,o1,u2,student
"""


def manifest(version: str = "1.1", **modes: str) -> str:
    files = {"users": "bulk", "classes": "bulk", "enrollments": "bulk", "orgs": "absent", **modes}
    rows = [("manifest.version", "1.0"), ("oneroster.version", version)]
    rows += [(f"file.{name}", mode) for name, mode in files.items()]
    return "\r\n".join(f"{name},{value}" for name, value in [("propertyName", "value"), *rows])


def package(members: Mapping[str, str | bytes] | None = None, /, **files: str) -> bytes:
    """Return a package of the texts above, with `files` (by stem) and `members` put over them."""
    texts: dict[str, str | bytes] = {
        "manifest.csv": manifest(),
        "users.csv": USERS,
        "classes.csv": CLASSES,
        "enrollments.csv": ENROLLMENTS,
        **{f"{stem}.csv": text for stem, text in files.items()},
        **(members or {}),
    }
    return zipped(texts)


def zipped(members: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return buffer.getvalue()
