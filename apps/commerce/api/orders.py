"""/v1: orders, received from shops and read by staff."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.db.models import QuerySet
from django.db.utils import DatabaseError
from django.http import HttpRequest
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions, mixins, viewsets
from rest_framework.authentication import BaseAuthentication
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from apps.commerce import services
from apps.commerce.api.permissions import SignedWebhook
from apps.commerce.api.serializers import (
    DismissalSerializer,
    OrderLineSerializer,
    OrderSerializer,
    ReceiptSerializer,
)
from apps.commerce.api.webhooks import WebhookSerializer, read_order
from apps.commerce.models import Order, OrderLine
from apps.commerce.selectors import lines_with_entitlements, orders_with_lines
from apps.commerce.services import Receipt
from apps.commerce.signatures import SignedMessage, read_headers
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.core.api import ApiView, as_problem
from apps.core.clock import now
from apps.core.parsers import StrictJSONParser
from apps.core.problems import Problem, TooLarge
from apps.core.throttling import SlidingWindow
from apps.programs.api.filters import filters

MOST_BYTES = 1_000_000
HEADERS = [
    OpenApiParameter("webhook-id", str, OpenApiParameter.HEADER, required=True),
    OpenApiParameter("webhook-timestamp", int, OpenApiParameter.HEADER, required=True),
    OpenApiParameter("webhook-signature", str, OpenApiParameter.HEADER, required=True),
]


class WebhookThrottle(SlidingWindow):
    """A window for each address that sends webhooks."""

    scope = "webhook"

    def get_cache_key(self, request: Any, view: Any) -> str:
        return f"throttle.{self.scope}.{self.get_ident(request)}"


class OrderViewSet(
    ApiView,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Order],
):
    """Orders as shops told them last, with what came of their lines."""

    permission_classes = [SignedWebhook]
    queryset = Order.objects.all()
    serializer_class = OrderSerializer
    filterset_class = filters(Order, "source", "external_id", "number", "state", "buyer")

    def get_queryset(self) -> QuerySet[Order]:
        return orders_with_lines()

    def _is_webhook(self) -> bool:
        return getattr(self.request, "method", None) == "POST"

    def get_authenticators(self) -> list[BaseAuthentication]:
        """A webhook is known by its signature; whatever else it carries counts for nothing."""
        return [] if self._is_webhook() else super().get_authenticators()

    def get_throttles(self) -> list[BaseThrottle]:
        if self._is_webhook():
            return [WebhookThrottle()]
        return [throttle() for throttle in self.throttle_classes]

    def _under_key(
        self, key: str, handler: Any, request: Request, *args: Any, **kw: Any
    ) -> Response:
        """A webhook is repeatable by its own id: an Idempotency-Key has nothing to guard."""
        response: Response = handler(request, *args, **kw)
        return response

    @extend_schema(
        auth=[],
        parameters=HEADERS,
        request=WebhookSerializer,
        responses={
            200: ReceiptSerializer,
            401: OpenApiResponse(description="The signature is missing, wrong or too old."),
        },
    )
    def create(self, request: Request) -> Response:
        """Receive an order from a shop: a webhook, signed as Standard Webhooks has it.

        Repeatable by its `webhook-id`. What is accepted is kept, also if a line of it can't be
        granted yet; the answer says what came of each. What is refused is on record.
        """
        at, secret = now(), None
        message = _message(request._request)
        try:
            with transaction.atomic():
                secret = services.authenticate(message, at=at)
                type_, told = read_order(StrictJSONParser().parse(BytesIO(message.body)))
                receipt = services.receive(
                    message=message, secret=secret, type=type_, told=told, at=at
                )
        except (Problem, exceptions.APIException, DatabaseError) as error:
            problem = as_problem(error)
            if problem is None:
                raise
            services.record_refusal(message=message, secret=secret, problem=problem)
            return _refused(problem)
        return Response(self._as_data(receipt))

    def _as_data(self, receipt: Receipt) -> dict[str, Any]:
        order = receipt.order
        fresh = None if order is None else self.get_queryset().get(pk=order.pk)
        shown = ReceiptSerializer({"delivery": receipt.delivery, "order": fresh})
        return dict(shown.data)


def _message(request: HttpRequest) -> SignedMessage:
    """Return the webhook as it was sent. Raises TooLarge, SignatureMissing."""
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise TooLarge(detail=f"A webhook may have {MOST_BYTES} bytes.") from error
    if len(body) > MOST_BYTES:
        raise TooLarge(detail=f"A webhook may have {MOST_BYTES} bytes.")
    return read_headers(
        webhook_id=request.headers.get("webhook-id"),
        timestamp=request.headers.get("webhook-timestamp"),
        signature=request.headers.get("webhook-signature"),
        body=body,
    )


def _refused(problem: Problem) -> Response:
    """Answer a refusal without raising it: that would take its record back too."""
    headers = {"WWW-Authenticate": "StandardWebhooks"} if problem.status == 401 else {}
    return Response(
        problem.as_dict(),
        status=problem.status,
        headers=headers,
        content_type="application/problem+json",
    )


class OrderLineViewSet(
    ApiView,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[OrderLine],
):
    """Lines of orders; `?outcome=unresolved` are those that wait for a person."""

    permission_classes = [Requires(Capability.MANAGE_COMMERCE, read=Capability.VIEW_COMMERCE)]
    queryset = OrderLine.objects.all()
    serializer_class = OrderLineSerializer
    filterset_class = filters(
        OrderLine, "order", "source", "sku", "state", "outcome", "reason", "learner", "sellable"
    )

    def get_queryset(self) -> QuerySet[OrderLine]:
        return lines_with_entitlements()

    @extend_schema(request=None, responses=OrderLineSerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, **kwargs: Any) -> Response:
        """Try to grant an unresolved or dismissed line again; 200 also if it can't be yet."""
        line = services.retry_line(line=self.get_object(), actor=actor_of(request), at=now())
        return self._answer(line)

    @extend_schema(request=DismissalSerializer, responses=OrderLineSerializer)
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, **kwargs: Any) -> Response:
        """Say why nothing follows from an unresolved line."""
        line = self.get_object()
        asked = DismissalSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        dismissed = services.dismiss_line(
            line=line, actor=actor_of(request), because=asked.validated_data["because"], at=now()
        )
        return self._answer(dismissed)

    def _answer(self, line: OrderLine) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=line.pk)).data)
