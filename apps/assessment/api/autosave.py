"""/v1: saving answers, the hottest path.

The client's sequence makes a save repeatable, and it is one SQL statement: it needs neither an
Idempotency-Key nor a transaction around it, nor serializers to read two members.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.assessment.services import Answer, SavedAnswer, save_response, save_responses
from apps.assessment.services.autosave import MAX_SEQUENCE
from apps.cohorts.api.base import principal_of
from apps.contacts.api import Requires
from apps.core.api import ApiView, StrictSerializer
from apps.core.clock import now
from apps.core.problems import FieldError, Invalid

MAX_ANSWERS: Final = 500


class AnswerSerializer(StrictSerializer):
    """An answer: the key of an option or a list of them, true or false, a number, or text.

    null takes the answer back. `sequence` counts up with each save; older ones are ignored.
    """

    value = serializers.JSONField(allow_null=True)
    sequence = serializers.IntegerField(min_value=1, max_value=MAX_SEQUENCE)


class ItemAnswerSerializer(AnswerSerializer):
    item = serializers.UUIDField()


class AnswersSerializer(StrictSerializer):
    responses = serializers.ListField(
        child=ItemAnswerSerializer(), min_length=1, max_length=MAX_ANSWERS
    )


class FaultSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()


class SavedAnswerSerializer(serializers.Serializer[Any]):
    """What the server has now. With a fault the last valid answer stays the one that counts."""

    item = serializers.UUIDField()
    sequence = serializers.IntegerField()
    is_stored = serializers.BooleanField(help_text="False: a newer save was there already.")
    fault = FaultSerializer(allow_null=True)


class SavedAnswersSerializer(serializers.Serializer[Any]):
    responses = SavedAnswerSerializer(many=True)


class AnswerInvalid(Invalid):
    code = "answer-invalid"


class AutosaveView(ApiView):
    """Saves under /v1/attempts/{attempt}/responses."""

    permission_classes = [Requires(None)]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the caller as everywhere, but leave the write without a transaction of its own."""
        super(ApiView, self).initial(request, *args, **kwargs)


class ResponseView(AutosaveView):
    """One answer of an attempt."""

    @extend_schema(
        operation_id="attempts_responses_save",
        request=AnswerSerializer,
        responses=SavedAnswerSerializer,
    )
    def put(self, request: Request, attempt_id: UUID, item_id: UUID) -> Response:
        """Save an answer; 409 `attempt-closed` when the attempt takes no more."""
        value, sequence = _value_and_sequence(request.data, "", {"value", "sequence"})
        saved = save_response(
            attempt_id=attempt_id,
            item_id=item_id,
            value=value,
            sequence=sequence,
            contact_id=principal_of(request).contact_id,
            at=now(),
        )
        return Response(_as_data(saved))


class ResponsesView(AutosaveView):
    """Several answers of an attempt."""

    @extend_schema(
        operation_id="attempts_responses_save_all",
        request=AnswersSerializer,
        responses=SavedAnswersSerializer,
    )
    def put(self, request: Request, attempt_id: UUID) -> Response:
        """Save several answers at once; nothing is kept if one of them is refused."""
        saved = save_responses(
            attempt_id=attempt_id,
            answers=_answers(request.data),
            contact_id=principal_of(request).contact_id,
            at=now(),
        )
        return Response({"responses": [_as_data(one) for one in saved]})


def _answers(body: Any) -> list[Answer]:
    given = _object(body, "", {"responses"})["responses"]
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_ANSWERS:
        raise _invalid("responses", "list-length", f"A list of 1 to {MAX_ANSWERS} is expected.")
    answers = []
    for number, one in enumerate(given):
        path = f"responses[{number}]."
        value, sequence = _value_and_sequence(one, path, {"item", "value", "sequence"})
        answers.append(Answer(_item_id(one["item"], path), value, sequence))
    return answers


def _value_and_sequence(body: Any, path: str, names: set[str]) -> tuple[Any, int]:
    given = _object(body, path, names)
    sequence = given["sequence"]
    is_whole = isinstance(sequence, int) and not isinstance(sequence, bool)
    if not is_whole or not 1 <= sequence <= MAX_SEQUENCE:
        message = f"A whole number from 1 to {MAX_SEQUENCE} is expected."
        raise _invalid(f"{path}sequence", "invalid", message)
    return given["value"], sequence


def _object(body: Any, path: str, names: set[str]) -> dict[str, Any]:
    """Return the body if it is an object with exactly these members."""
    if not isinstance(body, dict):
        raise _invalid(path.rstrip("."), "invalid", "An object is expected.")
    errors: list[FieldError] = [
        {"field": path + name, "code": "required", "message": "This is missing."}
        for name in sorted(names - set(body))
    ]
    errors += [
        {"field": path + name, "code": "unknown", "message": "There is no such field."}
        for name in sorted(set(body) - names)
    ]
    if errors:
        raise AnswerInvalid(errors=errors)
    return body


def _item_id(value: Any, path: str) -> UUID:
    try:
        return UUID(value if isinstance(value, str) else "")
    except ValueError as error:
        raise _invalid(f"{path}item", "invalid", "The id of an item is expected.") from error


def _invalid(field: str, code: str, message: str) -> AnswerInvalid:
    return AnswerInvalid(errors=[{"field": field, "code": code, "message": message}])


def _as_data(saved: SavedAnswer) -> dict[str, Any]:
    fault = {"code": saved.fault_code, "message": saved.fault_message}
    return {
        "item": str(saved.item_id),
        "sequence": saved.sequence,
        "is_stored": saved.is_stored,
        "fault": fault if saved.fault_code else None,
    }
