"""Choosing one of very many: a search first, then a few to choose from; no script is needed."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

MOST_FOUND: Final = 20
"""So many are offered; who has more found says more of the name."""
LONGEST: Final = 200


class SearchedField(forms.ModelChoiceField[Any]):
    """A choice among what was found; any row of the whole queryset is valid, if it is sent."""

    widget = forms.RadioSelect

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"empty_label": None, "blank": False, **kwargs})


class Search:
    """What was asked for in the address, and what was found: the rows with each word somewhere."""

    def __init__(self, asked: QueryDict, rows: QuerySet[Any], lookups: tuple[str, ...]) -> None:
        self.words = asked.get("q", "").replace("\x00", "").strip()[:LONGEST]
        self.rows = rows
        self.lookups = lookups

    @cached_property
    def found(self) -> list[Model]:
        """Return at most one row more than is offered."""
        if not self.words:
            return []
        rows = self.rows
        for word in self.words.split():
            rows = rows.filter(
                pk__in=rows.model._default_manager.filter(self._named(word)).values("pk")
            )
        return list(rows[: MOST_FOUND + 1])

    @property
    def has_more(self) -> bool:
        return len(self.found) > MOST_FOUND

    def offer(self, field: Any) -> None:
        """Let the field offer what was found, and take any of the rows."""
        field.queryset = self.rows
        field.choices = [
            (row.pk, field.label_from_instance(row)) for row in self.found[:MOST_FOUND]
        ]

    def _named(self, word: str) -> Q:
        either = Q()
        for lookup in self.lookups:
            either |= Q(**{f"{lookup}__icontains": word})
        return either


SEARCH_LABEL = _("Name, e-mail address or external id")
