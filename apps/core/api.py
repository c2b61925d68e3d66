"""What every endpoint under /v1 shares: problems, pages, strict input, repeatable writes."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.utils import DatabaseError
from django.http import Http404
from rest_framework import exceptions, pagination, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.utils.serializer_helpers import ReturnDict
from rest_framework.views import APIView, set_rollback

from apps.core import idempotency
from apps.core.problems import Forbidden, Invalid, NotFound, Problem
from apps.core.refusals import refused_by_database

log = logging.getLogger(__name__)
M = TypeVar("M", bound=models.Model)

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return any refusal as `application/problem+json`; None lets a fault of ours be a 500."""
    problem = as_problem(error)
    if problem is None:
        return None
    set_rollback()
    headers = {}
    if isinstance(error, exceptions.APIException):
        if wait := getattr(error, "wait", None):
            headers["Retry-After"] = str(int(wait) + 1)
        if challenge := getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = challenge
    if wait_seconds := problem.extensions.get("retry_after_seconds"):
        headers["Retry-After"] = str(wait_seconds)
    if isinstance(error, exceptions.UnsupportedMediaType):
        headers |= _tell_accepted(problem, context.get("view"))
    return Response(
        problem.as_dict(),
        status=problem.status,
        headers=headers,
        content_type="application/problem+json",
    )


def _tell_accepted(problem: Problem, view: Any) -> dict[str, str]:
    """Say in the problem, and in the header that RFC 9110, 15.5.16 names, what would do."""
    accepted = [parser.media_type for parser in getattr(view, "parser_classes", ())]
    if not accepted:
        return {}
    *others, last = accepted
    listed = f"{', '.join(others)} or {last}" if others else last
    problem.detail = f"{problem.detail} Send {listed}."
    problem.extensions["accepted"] = accepted
    return {"Accept": ", ".join(accepted)}


def as_problem(error: Exception) -> Problem | None:
    """Return the refusal behind an exception, None for a fault of ours."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Http404):
        return NotFound()
    if isinstance(error, PermissionDenied):
        return Forbidden()
    if isinstance(error, exceptions.ValidationError):
        return Invalid(errors=list(_field_errors(error.get_full_details(), "")))
    if isinstance(error, exceptions.APIException):
        return _from_api_exception(error)
    if isinstance(error, DatabaseError):
        return refused_by_database(error)
    return None


def _from_api_exception(error: exceptions.APIException) -> Problem:
    code = str(getattr(error.detail, "code", error.default_code)).replace("_", "-")
    problem = Problem(detail=str(error.detail))
    titles = {
        status.HTTP_401_UNAUTHORIZED: "Sign in or send a token first.",
        status.HTTP_403_FORBIDDEN: Forbidden.title,
        status.HTTP_404_NOT_FOUND: NotFound.title,
        status.HTTP_405_METHOD_NOT_ALLOWED: "This address does not take that method.",
        status.HTTP_406_NOT_ACCEPTABLE: "This representation is not available.",
        status.HTTP_415_UNSUPPORTED_MEDIA_TYPE: "This address does not take that media type.",
        status.HTTP_429_TOO_MANY_REQUESTS: "Too many requests.",
    }
    return _told(problem, code, error.status_code, titles.get(error.status_code, Problem.title))


def _told(problem: Problem, code: str, status_code: int, title: str) -> Problem:
    described = type(
        "ApiProblem", (Problem,), {"code": code, "status": status_code, "title": title}
    )
    told: Problem = described(problem.detail)
    return told


def _field_errors(details: Any, path: str) -> list[Any]:
    if isinstance(details, dict) and {"message", "code"} == set(details):
        message, code = str(details["message"]), str(details["code"]).replace("_", "-")
        return [{"field": path, "code": code, "message": message}]
    found: list[Any] = []
    if isinstance(details, dict):
        for name, inner in details.items():
            own = "" if name == api_settings.NON_FIELD_ERRORS_KEY else str(name)
            found += _field_errors(inner, ".".join(part for part in (path, own) if part))
    elif isinstance(details, list):
        for number, inner in enumerate(details):
            is_leaf = isinstance(inner, dict) and {"message", "code"} == set(inner)
            found += _field_errors(inner, path if is_leaf else f"{path}[{number}]")
    return found


class CursorPagination(pagination.CursorPagination):
    """`?cursor=` and `?page_size=` (at most 200); ids sort by the time they were made."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


TEXTS = (serializers.CharField, serializers.UUIDField, serializers.PrimaryKeyRelatedField)


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields it does not know, instead of losing them silently, and numbers for texts.

    REST framework writes a number where a text belongs as its digits, and takes one for an id.
    """

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = sorted(set(map(str, data)) - set(self.fields))
            wrong = [
                *((name, "There is no such field.", "unknown") for name in unknown),
                *self._numbers_for_texts(data),
            ]
            if wrong:
                raise serializers.ValidationError(
                    {name: serializers.ErrorDetail(said, code=code) for name, said, code in wrong}
                )
        return super().to_internal_value(data)

    def _numbers_for_texts(self, data: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
        for name, value in data.items():
            field = self.fields.get(name)
            if isinstance(value, int | float) and isinstance(field, TEXTS):
                is_reference = isinstance(field, serializers.PrimaryKeyRelatedField)
                yield name, "Not a text.", "incorrect_type" if is_reference else "invalid"


class StrictModelSerializer(StrictSerializer, serializers.ModelSerializer[M]):
    """A ModelSerializer that refuses unknown fields."""


class LengthRequired(Problem):
    """A body in chunks: its length is not known, and the server would take it for empty."""

    code = "length-required"
    status = 411
    title = "Send the body with a Content-Length."


class ApiView(APIView):
    """An endpoint whose writes run in one transaction and may be repeated under a key.

    A write answers with a body that has the object's `id`; a duplicate is answered by
    `render_again`, from the status and reference that the first one stored.
    """

    lookup_value_converter = "uuid"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if "Transfer-Encoding" in request.headers and not request.headers.get("Content-Length"):
            raise LengthRequired
        method = (request.method or "").lower()
        if method.upper() in WRITES and hasattr(self, method):
            handler = getattr(self, method)
            setattr(self, method, self._carried_out_once(handler))

    def _carried_out_once(self, handler: Callable[..., Response]) -> Callable[..., Response]:
        def carried_out(request: Request, *args: Any, **kwargs: Any) -> Response:
            key = request.headers.get("Idempotency-Key")
            with transaction.atomic():
                if key is None:
                    return handler(request, *args, **kwargs)
                return self._under_key(key, handler, request, *args, **kwargs)

        return carried_out

    def _under_key(
        self, key: str, handler: Callable[..., Response], request: Request, *args: Any, **kw: Any
    ) -> Response:
        record, is_first = idempotency.claim(
            actor_id=request.principal.contact_id,  # type: ignore[attr-defined]
            method=request.method or "",
            path=request.get_full_path(),
            key=key,
            body=_canonical_body(request),
        )
        if not is_first:
            data = self.render_again(request, record.answer)
            return Response(data, status=record.status, headers={"Idempotency-Replayed": "true"})
        response = handler(request, *args, **kw)
        idempotency.settle(
            record, status=response.status_code, answer=self.answer_reference(response)
        )
        return response

    def answer_reference(self, response: Response) -> dict[str, Any]:
        """Return what is enough to answer again: ids, never texts or tokens."""
        data = response.data
        return {"id": str(data["id"])} if isinstance(data, dict) and "id" in data else {}

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        """Return the body of a repeated write. Views that answer no single object override it."""
        queryset = getattr(self, "get_queryset", None)
        if "id" not in answer or queryset is None:
            return None
        serializer = self.get_serializer(queryset().get(pk=answer["id"]))  # type: ignore[attr-defined]
        data: ReturnDict[Any, Any] = serializer.data
        return data

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        limit = getattr(request._request, "rate_limit", None)
        if limit is not None:
            response["RateLimit-Limit"], response["RateLimit-Remaining"] = limit[0], limit[1]
            response["RateLimit-Reset"] = limit[2]
        return response


def _canonical_body(request: Request) -> bytes:
    """Return what makes this body the same one: uploaded files count by what is in them."""
    said = [repr(request.data)]
    for name, file in sorted(request.FILES.items()):
        said.append(f"{name}={hashlib.sha256(file.read()).hexdigest()}")
        file.seek(0)
    return "\n".join(said).encode("utf-8", "surrogatepass")
