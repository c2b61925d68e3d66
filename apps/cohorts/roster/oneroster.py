"""A roster as a OneRoster 1.1 or 1.2 package of CSV files.

Source: 1EdTech OneRoster 1.1 and 1.2 CSV bindings. Read are manifest, users, roles (1.2),
classes and enrollments; real packages differ in the case of file and column names.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from apps.cohorts.roster.oneroster_files import (
    FileLine,
    PackageReading,
    UnreadableFileError,
    modes_of,
    read_manifest,
    version_of,
)
from apps.cohorts.roster.package import UnsafePackageError, open_package
from apps.cohorts.roster.records import (
    Roster,
    RosterClass,
    RosterRole,
    RosterRow,
    RosterSource,
    RowProblem,
    RowStatus,
)
from apps.cohorts.roster.values import (
    MAX_ID_CHARS,
    MAX_NAME_CHARS,
    email_problem,
    length_problem,
    role_of,
    shown,
)


@dataclass(frozen=True, slots=True)
class _User:
    """A person of the package who can be used."""

    at: FileLine
    display_name: str
    role: RosterRole | None


def read_oneroster(data: bytes, *, file: str, encoding: str | None = None) -> Roster:
    """Return the roster in a package; problems are in it, nothing is raised.

    A row is an enrolment; people without any have a row without a class.
    """
    return _read(data, file, encoding, with_rows=True)


def check_oneroster(data: bytes, *, file: str, encoding: str | None = None) -> Roster:
    """Return a roster without rows that tells whether the package and its manifest will do."""
    return _read(data, file, encoding, with_rows=False)


def _read(data: bytes, file: str, encoding: str | None, *, with_rows: bool) -> Roster:
    source: RosterSource | None = None
    try:
        package = open_package(data)
        manifest = read_manifest(package, file=file)
        source = version_of(manifest)
        modes = modes_of(manifest, source=source, package=package)
        if not with_rows:
            return Roster(source=source)
        return _read_package(PackageReading(package, source, modes, encoding))
    except UnsafePackageError as error:
        problem = RowProblem(file, None, None, error.code, error.message)
    except UnreadableFileError as error:
        problem = error.problem
    return Roster(source=source, failed=True, problems=(problem,))


def _read_package(reading: PackageReading) -> Roster:
    users = _users(reading, roles=_primary_roles(reading))
    classes = _classes(reading)
    enrolments = list(reading.lines("enrollments.csv"))
    rows = _enrolled(reading, enrolments, users=users, classes=classes)
    mentioned = {line.cells["userSourcedId"] for line in enrolments}
    rows += _unenrolled(reading, users=users, mentioned=mentioned)
    return Roster(
        source=reading.source,
        encoding=", ".join(dict.fromkeys(encoding for encoding, _ in reading.encodings)),
        encoding_guessed=any(guessed for _, guessed in reading.encodings),
        mode=reading.modes["enrollments.csv"] or reading.modes["users.csv"],
        rows=tuple(rows),
        problems=tuple(reading.problems),
        classes=tuple(classes.values()),
        blank_rows=reading.blank_rows,
    )


def _primary_roles(reading: PackageReading) -> dict[str, RosterRole]:
    """Return the role of each user by roles.csv; a primary one outranks others."""
    primary: dict[str, RosterRole] = {}
    others: dict[str, RosterRole] = {}
    for line in reading.lines("roles.csv"):
        role = role_of(line.cells["role"])
        if role is None:
            message = f"{shown(line.cells['role'])} is no role known here."
            reading.refuse(line, "role", "unknown-role", message)
        elif line.status == RowStatus.ACTIVE:
            rank = primary if line.cells.get("roleType", "").lower() == "primary" else others
            rank.setdefault(line.cells["userSourcedId"], role)
    return {**others, **primary}


def _users(reading: PackageReading, *, roles: Mapping[str, RosterRole]) -> dict[str, _User]:
    users: dict[str, _User] = {}
    mailboxes: dict[str, FileLine] = {}
    for line in reading.lines("users.csv"):
        cells = line.cells
        user_id, email = cells["sourcedId"], cells.get("email", "")
        name = f"{cells['givenName']} {cells['familyName']}".strip()
        if not name and line.status == RowStatus.TO_BE_DELETED:
            name = user_id
        first = mailboxes.setdefault(email.lower(), line) if email else line
        role = roles.get(user_id) or role_of(cells.get("role", ""))
        found = _identity_problem(line, known=users) or _user_problem(
            line, name=name, role=role, first_of_mailbox=first
        )
        if found is not None:
            reading.refuse(line, *found)
        else:
            users[user_id] = _User(line, name, role)
    return users


def _user_problem(
    line: FileLine, *, name: str, role: RosterRole | None, first_of_mailbox: FileLine
) -> tuple[str, str, str] | None:
    email, role_word = line.cells.get("email", ""), line.cells.get("role", "")
    if not name:
        return "givenName", "missing-name", "The row names nobody."
    too_long = length_problem(name, limit=MAX_NAME_CHARS)
    if too_long is not None:
        return "givenName", *too_long
    wrong = email_problem(email) if email else None
    if wrong is not None:
        return "email", *wrong
    if first_of_mailbox is not line:
        message = f"The e-mail address {shown(email)} is already in line {first_of_mailbox.line}."
        return "email", "duplicate-email", message
    if role is None and role_word:
        return "role", "unknown-role", f"{shown(role_word)} is no role known here."
    return None


def _classes(reading: PackageReading) -> dict[str, RosterClass]:
    classes: dict[str, RosterClass] = {}
    for line in reading.lines("classes.csv"):
        class_id, title = line.cells["sourcedId"], line.cells["title"]
        found = _identity_problem(line, known=classes)
        if found is None and not title:
            found = "title", "missing-title", "The class has no title."
        too_long = length_problem(title, limit=MAX_NAME_CHARS)
        if found is None and too_long is not None:
            found = "title", *too_long
        if found is not None:
            reading.refuse(line, *found)
        else:
            classes[class_id] = RosterClass(class_id, title, line.status)
    return classes


def _identity_problem(
    line: FileLine, *, known: Mapping[str, object]
) -> tuple[str, str, str] | None:
    identifier = line.cells["sourcedId"]
    if not identifier:
        return "sourcedId", "missing-identifier", "The row has no identifier."
    too_long = length_problem(identifier, limit=MAX_ID_CHARS)
    if too_long is not None:
        return "sourcedId", *too_long
    if identifier in known:
        message = f"The identifier {shown(identifier)} is already in an earlier line."
        return "sourcedId", "duplicate-external-id", message
    return None


def _enrolled(
    reading: PackageReading,
    lines: Iterable[FileLine],
    *,
    users: Mapping[str, _User],
    classes: Mapping[str, RosterClass],
) -> list[RosterRow]:
    kept: dict[tuple[str, str], FileLine] = {}
    for line in lines:
        found = _enrolment_problem(reading, line, users=users, classes=classes)
        if found is not None:
            reading.refuse(line, *found)
            continue
        key = line.cells["userSourcedId"], line.cells["classSourcedId"]
        first = kept.setdefault(key, line)
        if first is line:
            continue
        # Who left a class and came back has an ended and an active enrolment: the active counts.
        ended = first if first.status == RowStatus.TO_BE_DELETED else line
        if ended.status == first.status == line.status:
            message = f"The same person is enrolled in the same class in line {first.line}."
            reading.refuse(line, None, "duplicate-enrollment", message)
            continue
        kept[key] = line if ended is first else first
        message = f"The enrolment in line {kept[key].line} is active and counts instead."
        reading.refuse(ended, None, "superseded-enrollment", message)
    return [
        _row(
            line,
            user=users[user_id],
            role=role_of(line.cells["role"]) or RosterRole.STUDENT,
            group=classes[class_id],
        )
        for (user_id, class_id), line in sorted(kept.items(), key=lambda pair: pair[1].line)
    ]


def _enrolment_problem(
    reading: PackageReading,
    line: FileLine,
    *,
    users: Mapping[str, _User],
    classes: Mapping[str, RosterClass],
) -> tuple[str, str, str] | None:
    references = (
        ("userSourcedId", "users.csv", "user", users),
        ("classSourcedId", "classes.csv", "class", classes),
    )
    for column, file, what, known in references:
        identifier = line.cells[column]
        if (file, identifier) in reading.refused and identifier not in known:
            return column, f"refused-{what}", f"{shown(identifier)} was refused in {file}."
        if identifier not in known:
            return column, f"unknown-{what}", f"{shown(identifier)} is not in {file}."
    if role_of(line.cells["role"]) is None:
        return "role", "unknown-role", f"{shown(line.cells['role'])} is no role known here."
    return None


def _unenrolled(
    reading: PackageReading, *, users: Mapping[str, _User], mentioned: Collection[str]
) -> list[RosterRow]:
    rows = []
    for user_id, user in users.items():
        if user_id in mentioned:
            continue
        if user.role is None:
            message = "The person has neither a role nor an enrolment."
            reading.refuse(user.at, "role", "missing-role", message)
        else:
            rows.append(_row(user.at, user=user, role=user.role, group=None))
    return rows


def _row(line: FileLine, *, user: _User, role: RosterRole, group: RosterClass | None) -> RosterRow:
    statuses = {line.status, user.at.status, group.status if group else RowStatus.ACTIVE}
    gone = RowStatus.TO_BE_DELETED in statuses
    cells = user.at.cells
    return RosterRow(
        file=line.file,
        line=line.line,
        display_name=user.display_name,
        given_name=cells["givenName"],
        family_name=cells["familyName"],
        email=cells.get("email", ""),
        external_id=cells["sourcedId"],
        role=role,
        class_id=group.external_id if group else "",
        class_title=group.title if group else "",
        status=RowStatus.TO_BE_DELETED if gone else RowStatus.ACTIVE,
    )
