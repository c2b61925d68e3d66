"""The tables of docs/reference that follow from the code, and where they stand in the pages."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework import exceptions, viewsets

from apps.cohorts.roster.csv_roster import ALIASES
from apps.contacts.capabilities import CAPABILITIES, COHORT_SCOPED, UNSCOPED_ROLES, Capability
from apps.core.api import problem_response
from apps.core.models import HistoryModel, TenantModel, Version, VersionChild
from apps.core.problems import Problem
from apps.core.walls import tenant_models, version_table
from apps.credentials.contexts import pinned
from apps.credentials.reasons import Reason
from apps.organizations.models import OrgRole
from apps.organizations.walls import TABLES
from apps.portability.schema import schema
from apps.portability.vocabulary import PartKind
from tests.docs.diagrams import entity_diagrams
from tests.docs.sentences import codes_of
from tests.docs.sources import ROOT, import_everything

REFERENCE = ROOT / "docs" / "reference"

_TABLE = re.compile(r"(<!-- table: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_PARAMETER = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")
_BY_CONTRACT = (
    exceptions.ParseError(),
    exceptions.NotAuthenticated(),
    exceptions.AuthenticationFailed(code="invalid-token"),
    exceptions.PermissionDenied(),
    exceptions.MethodNotAllowed("GET"),
    exceptions.NotAcceptable(),
    exceptions.UnsupportedMediaType("text/plain"),
    exceptions.Throttled(),
)
"""What the framework itself refuses, told in our words."""


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    titles = list(header)
    lines = [titles, ["---"] * len(titles), *map(list, rows)]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def summary(described: Any) -> str:
    """Return the first paragraph of a docstring in one line, or nothing."""
    return " ".join((described.__doc__ or "").partition("\n\n")[0].split())


def capabilities() -> str:
    """Role -> capability, as the code has it."""
    roles = list(OrgRole)

    def holds(role: OrgRole, capability: Capability) -> str:
        if capability not in CAPABILITIES[role]:
            return "·"
        is_narrow = capability in COHORT_SCOPED and role not in UNSCOPED_ROLES
        return "own cohorts" if is_narrow else "yes"

    rows = ((f"`{c}`", *(holds(role, c) for role in roles)) for c in Capability)
    return table(("capability", *(role.value for role in roles)), rows)


def problem_classes() -> list[type[Problem]]:
    """Return every problem that a module of ours declares, each with its own code."""
    import_everything("apps")

    def below(parent: type[Problem]) -> Iterator[type[Problem]]:
        for child in parent.__subclasses__():
            yield child
            yield from below(child)

    declared = {
        kind
        for kind in below(Problem)
        if kind.__module__.startswith("apps.") and _is_declared(kind) and "code" in vars(kind)
    }
    return sorted(declared, key=lambda kind: (kind.code, kind.__module__))


def _is_declared(kind: type) -> bool:
    return getattr(inspect.getmodule(kind), kind.__name__, None) is kind


def problems() -> str:
    """Code, status and title of every problem, and the app that raises it."""
    rows = {
        (f"`{kind.code}`", str(kind.status), kind.title, kind.__module__.split(".")[1])
        for kind in problem_classes()
    }
    return table(("code", "status", "title", "from"), sorted(rows))


def framework_problems() -> str:
    """The refusals that come from the framework, before any code of an app runs."""
    rows = []
    for error in _BY_CONTRACT:
        response = problem_response(error, {})
        assert response is not None
        code = response.data["type"].rpartition(":")[2]
        rows.append((f"`{code}`", str(response.status_code), response.data["title"]))
    return table(("code", "status", "title"), sorted(rows))


def endpoints() -> str:
    """Every address under /v1: methods, who may, filters, and what it is."""
    found: dict[tuple[str, str, str], list[Endpoint]] = {}
    for endpoint in sorted(_endpoints(get_resolver("config.urls").url_patterns, "")):
        alike = (endpoint.address, endpoint.needs, endpoint.told)
        found.setdefault(alike, []).append(endpoint)
    rows = (
        (
            f"`{address}`",
            ", ".join(sorted(endpoint.method for endpoint in same)),
            needs,
            ", ".join(f"`{name}`" for endpoint in same for name in endpoint.filters),
            told,
        )
        for (address, needs, told), same in found.items()
    )
    return table(("address", "methods", "needs", "filters", "what"), rows)


class Endpoint(NamedTuple):
    """One method of one address."""

    address: str
    method: str
    needs: str
    filters: tuple[str, ...]
    told: str


def _endpoints(patterns: Iterable[URLPattern | URLResolver], prefix: str) -> Iterator[Endpoint]:
    for pattern in patterns:
        address = prefix + str(pattern.pattern)
        if not address.startswith("v1/"):
            continue
        if isinstance(pattern, URLResolver):
            yield from _endpoints(pattern.url_patterns, address)
        else:
            yield from _methods("/" + _PARAMETER.sub(r"{\1}", address), pattern.callback)


def _methods(address: str, callback: Any) -> Iterator[Endpoint]:
    view = callback.cls if hasattr(callback, "cls") else callback.view_class
    actions: dict[str, str] = (
        callback.actions
        if issubclass(view, viewsets.ViewSetMixin)
        else {method: method for method in view.http_method_names if hasattr(view, method)}
    )
    for method, name in actions.items():
        handler = getattr(view, name)
        if method in {"head", "options"} or summary(handler).startswith("Refused"):
            continue
        if method not in view.http_method_names:
            continue
        is_own = handler.__qualname__.partition(".")[0] == view.__name__
        own_words = summary(handler) if is_own or name not in _STANDARD else ""
        yield Endpoint(
            address,
            method.upper(),
            _needs(callback, view, method),
            tuple(_filters(view)) if name == "list" else (),
            own_words or summary(view),
        )


_STANDARD = {"list", "retrieve", "create", "update", "partial_update", "destroy"}


def _needs(callback: Any, view: Any, method: str) -> str:
    given = getattr(callback, "initkwargs", {}).get("permission_classes")
    needed = []
    for permission in given or view.permission_classes:
        if permission.__name__ == "AllowAny":
            return "nothing"
        if permission.__name__ == "SignedWebhook":
            return "a signature" if method == "post" else f"`{permission.read}`"
        if permission.__name__ == "HasCapability":
            asked = inspect.getclosurevars(permission.has_permission).nonlocals
            needed.append(asked["read" if method == "get" else "write"])
    named = [f"`{capability}`" for capability in needed if capability]
    return ", ".join(named) or "sign-in"


def _filters(view: Any) -> list[str]:
    given = getattr(view, "filterset_class", None)
    if given is not None:
        return list(given.base_filters)
    fields = getattr(view, "filterset_fields", None) or []
    if isinstance(fields, dict):
        return [
            name if lookup == "exact" else f"{name}__{lookup}"
            for name, lookups in fields.items()
            for lookup in lookups
        ]
    return list(fields)


def tenant_tables() -> str:
    """Each table of an organisation's schema: grants of its role, and what else guards it."""
    models = sorted(
        tenant_models(), key=lambda model: (model._meta.app_label, model._meta.db_table)
    )
    rows = (
        (
            f"`{model._meta.db_table}`",
            f"`{model._meta.label}`",
            ", ".join(model.grants),
            _walls(model),
        )
        for model in models
    )
    return table(("table", "model", "its role may", "frozen"), rows)


def _walls(model: type[TenantModel]) -> str:
    if issubclass(model, HistoryModel):
        return "history: nobody changes or deletes a row"
    if issubclass(model, Version):
        return "once published"
    if issubclass(model, VersionChild):
        return f"with its `{version_table(model)}`"
    return ""


def public_tables() -> str:
    """Each public table: what the platform's role may, and what tenant code sees of it."""
    rows = (
        (
            f"`{known.name}`",
            known.platform,
            known.tenant or "nothing",
            f"`{' '.join(known.rows.split())}`" if known.rows else "",
        )
        for known in sorted(TABLES, key=lambda known: known.name)
    )
    return table(("table", "`assay_platform` may", "`assay_tenant` may", "on the rows"), rows)


def reasons() -> str:
    """The stable codes that a verification's steps end in."""
    return table(("code", "sentence"), ((f"`{r.value}`", r.sentence) for r in Reason))


def contexts() -> str:
    """The JSON-LD contexts that may stand in a signed document."""
    return table(("context",), ((url,) for url in pinned().documents))


def roster_columns() -> str:
    """The fields of a CSV roster and the column names that mean them."""
    rows = ((f"`{name}`", ", ".join(aliases)) for name, aliases in ALIASES.items())
    return table(("field", "columns that mean it"), rows)


def gift_codes() -> str:
    return _codes("apps/assessment/interchange", "apps/assessment/rules/adoption.py")


def roster_codes() -> str:
    return _codes("apps/cohorts/roster", "apps/cohorts/rules/matching.py", "apps/core/archives.py")


def package_codes() -> str:
    return _codes("apps/portability", "apps/core/archives.py")


def package_fields() -> str:
    """Every value of every file of a package, from the schemas."""
    rows = []
    for name in ("manifest", *PartKind.values):
        root = schema(name)
        file, _, told = root["description"].partition(": ")
        rows.append((file, "", "", told))
        rows += [(f"\u2003`{path}`", *rest) for path, *rest in _schema_rows(root, root, "")]
    return table(("value", "type", "needed", "what"), rows)


def _schema_rows(
    node: dict[str, Any], root: dict[str, Any], above: str
) -> Iterator[tuple[str, str, str, str]]:
    for name, told in node.get("properties", {}).items():
        inner, is_optional = _resolved(told, root)
        path = f"{above}{name}"
        needed = "yes" if name in node.get("required", ()) else ""
        kind = _kind_of(told) or _type_of(inner)
        yield path, f"{kind} or null" if is_optional else kind, needed, told.get("description", "")
        if inner.get("type") == "array":
            entry, _ = _resolved(inner["items"], root)
            yield from _schema_rows(entry, root, f"{path}[].")
        else:
            yield from _schema_rows(inner, root, f"{path}.")


def _resolved(node: dict[str, Any], root: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return what a schema node stands for, and whether null will do as well."""
    if "anyOf" in node:
        return _resolved(node["anyOf"][0], root)[0], True
    if "$ref" in node:
        return root["$defs"][node["$ref"].rpartition("/")[2]], False
    return node, False


_KINDS = {"slug": "short name", "number": "number as text", "word": "word", "date": "date"}


def _kind_of(node: dict[str, Any]) -> str:
    """Return what a schema calls a kind of text that stands in many places."""
    named = node["anyOf"][0] if "anyOf" in node else node
    return _KINDS.get(named.get("$ref", "").rpartition("/")[2], "")


def _type_of(node: dict[str, Any]) -> str:
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return ", ".join(f"`{value}`" for value in node["enum"])
    kind = str(node.get("type", ""))
    if kind == "array" and node["items"].get("type") == "string":
        return "array of strings"
    if "maxLength" in node:
        return f"{kind}, at most {node['maxLength']}"
    if "pattern" in node:
        return f"{kind} like `{node['pattern']}`"
    return kind


def _codes(*paths: str) -> str:
    told: dict[str, list[str]] = {}
    for code, sentence in codes_of(ROOT / path for path in paths):
        told.setdefault(code, []).append(sentence)
    rows = ((f"`{code}`", "<br>".join(sentences)) for code, sentences in told.items())
    return table(("code", "told as"), rows)


GENERATED: dict[str, Callable[[], str]] = {
    "capabilities": capabilities,
    "problems": problems,
    "framework-problems": framework_problems,
    "endpoints": endpoints,
    "tenant-tables": tenant_tables,
    "entity-diagrams": entity_diagrams,
    "public-tables": public_tables,
    "reasons": reasons,
    "contexts": contexts,
    "roster-columns": roster_columns,
    "gift-codes": gift_codes,
    "roster-codes": roster_codes,
    "package-fields": package_fields,
    "package-codes": package_codes,
}


def names_in(page: str) -> list[str]:
    """Return the names of the generated tables of a page, in order."""
    return [match[2] for match in _TABLE.finditer(page)]


def with_tables(page: str) -> str:
    """Return the page with each of its generated tables as the code has it now."""
    return _TABLE.sub(lambda match: f"{match[1]}{GENERATED[match[2]]()}{match[3]}", page)


def pages() -> list[Path]:
    return sorted(REFERENCE.glob("*.md"))
