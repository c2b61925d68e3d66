"""A roster between its trial and its import: a file in the object store, by a signed token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from apps.core.ids import uuid7
from apps.core.problems import Conflict
from apps.core.tenancy import connection

SALT = "cohorts.roster"
KEPT_FOR = timedelta(hours=24)


class RosterGone(Conflict):
    code = "roster-gone"
    title = "This roster is no longer kept: choose the file again."


@dataclass(frozen=True)
class KeptRoster:
    """A roster that was tried, waiting to be imported."""

    filename: str
    class_id: str
    data: bytes


def keep_roster(
    *, cohort_id: UUID, actor_id: UUID, filename: str, class_id: str, data: bytes, at: datetime
) -> str:
    """Return a token that leads this person, for this cohort, to the file for a day.

    The organisation's older files are swept, those that nobody came back for.
    """
    _sweep(at)
    name = default_storage.save(f"{_folder()}/{uuid7()}", ContentFile(data))
    return signing.dumps([name, *_owner(cohort_id, actor_id), filename, class_id], salt=SALT)


def kept_roster(token: str, *, cohort_id: UUID, actor_id: UUID) -> KeptRoster:
    """Return the file that a token leads to. Raises RosterGone."""
    name, filename, class_id = _read(token, cohort_id, actor_id)
    try:
        with default_storage.open(name) as file:
            return KeptRoster(filename=filename, class_id=class_id, data=file.read())
    except FileNotFoundError as error:
        raise RosterGone from error


def forget_roster(token: str, *, cohort_id: UUID, actor_id: UUID) -> None:
    """Remove the file; a second time changes nothing."""
    name, _filename, _class_id = _read(token, cohort_id, actor_id)
    default_storage.delete(name)


def _read(token: str, cohort_id: UUID, actor_id: UUID) -> tuple[str, str, str]:
    try:
        name, *owner, filename, class_id = signing.loads(token, salt=SALT, max_age=KEPT_FOR)
    except signing.BadSignature as error:
        raise RosterGone from error
    if owner != _owner(cohort_id, actor_id):
        raise RosterGone
    return name, filename, class_id


def _owner(cohort_id: UUID, actor_id: UUID) -> list[str]:
    """Return for whom a token is good; ids alone may occur in another organisation too."""
    return [str(connection.schema_name), str(cohort_id), str(actor_id)]


def _folder() -> str:
    return f"rosters/{connection.schema_name}"


def _sweep(at: datetime) -> None:
    try:
        _folders, names = default_storage.listdir(_folder())
    except FileNotFoundError:
        return
    for name in names:
        path = f"{_folder()}/{name}"
        if default_storage.get_modified_time(path) < at - KEPT_FOR:
            default_storage.delete(path)
