"""Every operation of /v1, found in the URLconf, with what the OpenAPI document says of its body."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import get_resolver

from apps.programs.models import Course
from tests.walls.endpoints import PARAMETER, WITHOUT_ROWS, WORDS, Endpoint, named_by, walk
from tests.walls.world import some_row

JSON = "application/json"
METHODS = ("get", "post", "put", "patch", "delete")
_TEMPLATE = re.compile(r"\{\w+\}")


@dataclass(frozen=True)
class Operation:
    """One method of one address. `fields` are those of the JSON body that it takes, if any."""

    method: str
    endpoint: Endpoint
    takes: tuple[str, ...]
    fields: tuple[str, ...]
    query: tuple[str, ...]
    needs_token: bool

    @property
    def label(self) -> str:
        return f"{self.method.upper()} /{self.endpoint.route}"

    def path(self) -> str:
        """Return the address with ids of rows of the organisation in force."""
        names = self.endpoint.parameters
        return self.endpoint.path({name: _named(self.endpoint, name) for name in names})

    def path_with(self, text: str) -> str:
        """Return the address with `text` for every id."""
        return self.endpoint.path(dict.fromkeys(self.endpoint.parameters, text))


def operations(document: dict[str, Any]) -> list[Operation]:
    """Return the operations that the URLconf has; fails for one that the document lacks."""
    described = {_TEMPLATE.sub("{}", path): item for path, item in document["paths"].items()}
    found = []
    for endpoint in walk(get_resolver()):
        if not endpoint.route.startswith("v1/") or endpoint.route in ("v1/schema", "v1/docs"):
            continue
        if endpoint.parameters and endpoint.route.startswith(WITHOUT_ROWS):
            continue
        item = described[f"/{PARAMETER.sub('{}', endpoint.route)}"]
        for method in _methods(endpoint.callback):
            found.append(_operation(method, endpoint, item[method], document))
    return found


def _methods(callback: Any) -> Iterator[str]:
    actions = getattr(callback, "actions", None)
    allowed = callback.cls.http_method_names
    has = actions if actions is not None else dir(callback.cls)
    yield from (method for method in METHODS if method in has and method in allowed)


def _operation(
    method: str, endpoint: Endpoint, described: dict[str, Any], document: dict[str, Any]
) -> Operation:
    content = described.get("requestBody", {}).get("content", {})
    schema = content.get(JSON, {}).get("schema", {})
    named = schema.get("$ref", "").rpartition("/")[2]
    properties = document["components"]["schemas"].get(named, schema).get("properties", {})
    query = [one["name"] for one in described.get("parameters", ()) if one.get("in") == "query"]
    needs_token = {} not in described.get("security", [{}])
    return Operation(method, endpoint, tuple(content), tuple(properties), tuple(query), needs_token)


def _named(endpoint: Endpoint, name: str) -> str:
    if name in WORDS:
        return WORDS[name]
    if name == "slug":
        return Course.objects.all()[0].slug
    model = named_by(endpoint, name)
    row = some_row(model)
    assert row is not None, f"{endpoint.route}: the demo has no {model._meta.label}"
    return str(row.pk)
