"""Errors a person or client can act on, told as data (RFC 9457, Problem Details)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypedDict


class FieldError(TypedDict):
    """One thing wrong with one field of the input."""

    field: str
    code: str
    message: str


class Problem(Exception):
    """Something refused, with a stable code.

    Services raise subclasses; the API answers them as `application/problem+json`, pages and the
    admin as a message. `type` is a URN, the same on every host of every organisation.
    """

    code: ClassVar[str] = "problem"
    status: ClassVar[int] = 400
    title: ClassVar[str] = "The request could not be carried out."

    def __init__(
        self, detail: str = "", *, errors: Sequence[FieldError] = (), **extensions: Any
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.errors = list(errors)
        self.extensions = extensions

    @property
    def type(self) -> str:
        return f"urn:assay:problem:{self.code}"

    def as_dict(self) -> dict[str, Any]:
        """Return the problem's members in the order of RFC 9457, section 3.1."""
        body: dict[str, Any] = {"type": self.type, "title": self.title, "status": self.status}
        if self.detail:
            body["detail"] = self.detail
        if self.errors:
            body["errors"] = self.errors
        return {**body, **self.extensions}


class BadRequest(Problem):
    code, status, title = "bad-request", 400, "The request is not well formed."


class Forbidden(Problem):
    code, status, title = "forbidden", 403, "You may not do this."


class NotFound(Problem):
    code, status, title = "not-found", 404, "There is no such thing here."


class Conflict(Problem):
    code, status, title = "conflict", 409, "This conflicts with the present state."


class TooLarge(Problem):
    code, status, title = "too-large", 413, "The request is too large."


class Invalid(Problem):
    code, status, title = "invalid", 422, "The input is not valid."
