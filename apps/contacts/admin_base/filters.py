"""Filters of lists, in words about the rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList


def ended(title: Any, *, no: Any, yes: Any) -> type[admin.EmptyFieldListFilter]:
    """Return a filter by a time that says, once it is there, that something is over."""

    class Ended(admin.EmptyFieldListFilter):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = title

        def choices(self, changelist: ChangeList) -> Iterator[Any]:
            every, empty, filled = super().choices(changelist)
            yield from (every, {**empty, "display": no}, {**filled, "display": yes})

    return Ended
