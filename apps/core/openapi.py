"""What every operation of the OpenAPI document has in common: refusals and the key of writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

WRITES = frozenset({"post", "put", "patch", "delete"})

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "A refusal (RFC 9457). Rely on `type`, not on titles.",
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": ["urn:assay:problem:not-found"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "One entry for each field or part that is at fault.",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
                "required": ["field", "code", "message"],
            },
        },
    },
    "required": ["type", "title", "status"],
}

AS_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

REFUSALS = {
    "400": ("BadRequest", "The request is not well formed."),
    "401": ("NotSignedIn", "Nobody is signed in, or the token is unknown, expired or revoked."),
    "402": ("PlanLimitReached", "The organisation's plan allows no more of this."),
    "403": ("Forbidden", "The caller may not do this, or the organisation is suspended."),
    "404": ("NotFound", "There is no such thing here that the caller may see."),
    "406": ("NotAcceptable", "There is no such representation."),
    "409": ("Conflict", "This conflicts with the present state."),
    "411": ("LengthRequired", "The body was sent in chunks: its length is not known."),
    "412": ("Stale", "It changed since the ETag in `If-Match` was read."),
    "413": ("TooLarge", "The body is too large."),
    "415": (
        "UnsupportedMediaType",
        "This media type is not taken; see `accepted`.",
    ),
    "422": ("Invalid", "The input is not valid; `errors` says where."),
    "429": ("TooManyRequests", "Too many requests; `Retry-After` says when to go on."),
}

IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Under the same key the same write is carried out once, and answered alike.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}


def describe_common_parts(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """Return the document with the refusals of each operation, and the key that writes take.

    A postprocessing hook of drf-spectacular.
    """
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components.setdefault("parameters", {})["IdempotencyKey"] = IDEMPOTENCY_KEY
    components.setdefault("responses", {}).update(
        {
            name: {"description": description, "content": AS_PROBLEM}
            for name, description in REFUSALS.values()
        }
    )
    for path in result["paths"].values():
        for method, operation in path.items():
            _describe(method, operation)
    simplified: dict[str, Any] = _without_doubled_null(result)
    return simplified


def _without_doubled_null(part: Any) -> Any:
    """Return a part of the document in which what may be anything may also be null, once.

    drf-spectacular writes a JSON field that may be null as `oneOf` of anything and null: that
    null would then be valid twice, which `oneOf` forbids.
    """
    if isinstance(part, list):
        return [_without_doubled_null(one) for one in part]
    if not isinstance(part, dict):
        return part
    kept = {name: _without_doubled_null(value) for name, value in part.items()}
    if {} in kept.get("oneOf", ()):
        del kept["oneOf"]
    return kept


def _describe(method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    for status in refusals(method, operation):
        name, _description = REFUSALS[status]
        responses.setdefault(status, {"$ref": f"#/components/responses/{name}"})
    for status in REFUSALS.keys() & responses.keys():
        if "$ref" not in responses[status]:
            responses[status].setdefault("content", AS_PROBLEM)
    if method in WRITES and operation.get("security"):
        key = {"$ref": "#/components/parameters/IdempotencyKey"}
        operation.setdefault("parameters", []).append(key)


def refusals(method: str, operation: dict[str, Any]) -> Iterator[str]:
    """Yield the statuses with which an operation may be refused."""
    yield from ("403", "404", "406", "429")
    is_write, has_body = method in WRITES, "requestBody" in operation
    if operation.get("security"):
        yield "401"
    if is_write or any(one.get("in") == "query" for one in operation.get("parameters", ())):
        yield from ("400", "422")
    if is_write:
        yield from ("402", "409")
    if method in ("put", "patch", "delete"):
        yield "412"
    if has_body:
        yield from ("411", "413", "415")
