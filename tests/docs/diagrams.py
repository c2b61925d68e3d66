"""Entity diagrams of the models, app by app, in Mermaid."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator

from django.apps import AppConfig, apps
from django.db import connection
from django.db.models import ForeignKey, Model, OneToOneField

from apps.core.models import HistoryModel, TenantModel, Version, VersionChild
from tests.docs.sources import ROOT


def entity_diagrams() -> str:
    """Return a diagram for each app that has tables, from the lowest layer upwards."""
    return "\n".join(_section(config) for config in _configs())


def _configs() -> Iterator[AppConfig]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    [layers] = [
        one["layers"] for one in contracts["contracts"] if one.get("containers") == ["apps"]
    ]
    for layer in reversed(layers):
        for name in layer.split(" | "):
            config = apps.get_app_config(name) if apps.is_installed(f"apps.{name}") else None
            if config is not None and any(_tables(config)):
                yield config


def _tables(config: AppConfig) -> Iterable[type[Model]]:
    tables = (model for model in config.get_models() if model._meta.managed)
    return sorted(tables, key=lambda model: model._meta.db_table)


def _section(config: AppConfig) -> str:
    tables = list(_tables(config))
    where = "each organisation's schema" if issubclass(tables[0], TenantModel) else "public"
    lines = [f"### {config.label}", "", f"In: {where}.", "", "```mermaid", "erDiagram"]
    for model in tables:
        lines += _entity(model)
    for model in tables:
        lines += sorted(_relations(model))
    return "\n".join([*lines, "```", ""])


def _entity(model: type[Model]) -> list[str]:
    name = model._meta.db_table
    mark = _mark(model)
    columns = (
        f"        {(field.db_type(connection) or '').split('(')[0].replace(' ', '_')} "
        f"{field.column}{' PK' if field.primary_key else ' FK' if field.is_relation else ''}"
        for field in model._meta.concrete_fields
    )
    title = f'    {name}["{name} {mark}"] {{' if mark else f"    {name} {{"
    return [title, *columns, "    }"]


def _mark(model: type[Model]) -> str:
    if issubclass(model, HistoryModel):
        return "(history)"
    if issubclass(model, Version):
        return "(version)"
    if issubclass(model, VersionChild):
        return "(part of a version)"
    return ""


def _relations(model: type[Model]) -> Iterator[str]:
    for field in model._meta.concrete_fields:
        if not isinstance(field, ForeignKey):
            continue
        one = "|o" if field.null else "||"
        many = "o|" if isinstance(field, OneToOneField) else "o{"
        target = field.related_model._meta.db_table
        yield f'    {target} {one}--{many} {model._meta.db_table} : "{field.name}"'
