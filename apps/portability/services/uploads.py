"""A package between its trial and its import: an object, by a signed token, for a day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing

from apps.core.objects import delete_many, get_many, new_name, put_many, sweep
from apps.core.problems import Conflict
from apps.core.tenancy import connection
from apps.portability.services.imports import Options

AREA = "packages"
SALT = "portability.package"
KEPT_FOR = timedelta(hours=24)


class PackageGone(Conflict):
    code = "package-gone"
    title = "This package is no longer kept: choose the file again."


@dataclass(frozen=True)
class KeptPackage:
    """A package that was tried, waiting to be imported in the same way."""

    options: Options
    data: bytes = field(repr=False)


def keep_package(*, data: bytes, options: Options, actor_id: UUID, at: datetime) -> str:
    """Return a token that leads this person to the package for a day.

    The organisation's older ones, that nobody came back for, are swept. Raises StoreUnavailable.
    """
    sweep(AREA, named=lambda names: (), at=at)
    name = new_name(AREA)
    put_many({name: data})
    told = [options.leaves_drafts, str(options.on_conflict), options.filename]
    return signing.dumps([name, *_owner(actor_id), *told], salt=SALT)


def kept_package(token: str, *, actor_id: UUID) -> KeptPackage:
    """Return what a token leads to. Raises PackageGone, StoreUnavailable."""
    name, leaves_drafts, on_conflict, filename = _read(token, actor_id)
    data = get_many([name])[name]
    if data is None:
        raise PackageGone
    return KeptPackage(Options(leaves_drafts, on_conflict, filename), data)


def forget_package(token: str, *, actor_id: UUID) -> None:
    """Remove the package; a second time changes nothing. Raises StoreUnavailable."""
    name, *_how = _read(token, actor_id)
    delete_many([name])


def _read(token: str, actor_id: UUID) -> tuple[str, bool, str, str]:
    try:
        name, schema, owner, leaves_drafts, on_conflict, filename = signing.loads(
            token, salt=SALT, max_age=KEPT_FOR
        )
    except (signing.BadSignature, ValueError) as error:
        raise PackageGone from error
    if [schema, owner] != _owner(actor_id):
        raise PackageGone
    return name, leaves_drafts, on_conflict, filename


def _owner(actor_id: UUID) -> list[str]:
    """Return for whom a token is good; ids alone may occur in another organisation too."""
    return [str(connection.schema_name), str(actor_id)]
