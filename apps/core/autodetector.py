"""What a difference between models is for migrations: names are no part of a table.

What a model, a field or a choice is called for people is in the models and their translations.
Written into migrations, each better word would be one more file to run in every schema.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.state import ProjectState

FIELD_NAMES = ("verbose_name", "help_text")
MODEL_NAMES = ("verbose_name", "verbose_name_plural")


class NamelessAutodetector(MigrationAutodetector):
    """Sees no difference between fields that are only called otherwise, nor between models."""

    def __init__(
        self, from_state: ProjectState, to_state: ProjectState, questioner: Any = None
    ) -> None:
        for state in (from_state, to_state):
            for model in state.models.values():
                for name in MODEL_NAMES:
                    model.options.pop(name, None)
        super().__init__(from_state, to_state, questioner)

    def deep_deconstruct(self, obj: Any) -> Any:
        """Return what a field is made of, without its names and those of its choices."""
        if not isinstance(obj, models.Field):
            return super().deep_deconstruct(obj)
        _name, path, args, kwargs = obj.deconstruct()
        kept = {key: value for key, value in kwargs.items() if key not in FIELD_NAMES}
        if "choices" in kept:
            kept["choices"] = [value for value, _label in obj.flatchoices]
        return super().deep_deconstruct((path, args, kept))
