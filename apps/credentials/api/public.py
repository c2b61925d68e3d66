"""/v1, for everybody: the signed bytes of a credential, and verifying one. No login, no network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import ApiView
from apps.core.clock import now
from apps.core.negotiation import OneRepresentation
from apps.core.problems import NotFound
from apps.core.throttling import VerificationThrottle
from apps.credentials.api.verdicts import VerdictSerializer, verdict_as_data
from apps.credentials.documents import MAX_BYTES
from apps.credentials.models import CredentialDocument
from apps.credentials.selectors.verification import verify_award, verify_source
from apps.credentials.services import MEDIA_TYPE


class NoSuchCredential(NotFound):
    code = "no-such-credential"
    title = "There is no such credential here."


class CredentialRenderer(JSONRenderer):
    """Sends stored bytes as they are; problems as JSON."""

    media_type = MEDIA_TYPE
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        if isinstance(data, bytes):
            return data
        return super().render(data, accepted_media_type, renderer_context)


class RawParser(BaseParser):
    """Takes a body as it is: what is wrong with it is the verification's finding."""

    media_type = "*/*"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        return {"source": stream.read(MAX_BYTES + 1)}


class PublicView(ApiView):
    """An endpoint without login that changes nothing: an Idempotency-Key has nothing to guard."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = OneRepresentation
    throttle_classes = (VerificationThrottle,)

    def _under_key(
        self, key: str, handler: Any, request: Request, *args: Any, **kw: Any
    ) -> Response:
        response: Response = handler(request, *args, **kw)
        return response


class CredentialView(PublicView):
    """A signed credential."""

    renderer_classes = (CredentialRenderer,)

    @extend_schema(
        auth=[],
        responses={
            (200, MEDIA_TYPE): OpenApiResponse(OpenApiTypes.OBJECT, "The credential."),
            304: OpenApiResponse(description="The bytes are those that the client has."),
        },
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """The bytes as they were signed, with a strong ETag. Open Badges 3.0, JSON-LD."""
        document = CredentialDocument.objects.filter(award=pk, media_type=MEDIA_TYPE).first()
        if document is None:
            raise NoSuchCredential
        etag = f'"{document.sha256}"'
        headers = {"ETag": etag, "Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}
        if is_known(etag, request.headers.get("If-None-Match", "")):
            return Response(status=304, headers=headers)
        return Response(bytes(document.content), headers=headers)


def is_known(etag: str, if_none_match: str) -> bool:
    """Whether the client already has the representation of this ETag (RFC 9110, 13.1.2)."""
    named = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in named or etag in named


class VerifyAwardView(PublicView):
    """Whether a credential of this organisation is genuine and in force."""

    @extend_schema(auth=[], responses=VerdictSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """Check the stored credential, step by step, as anybody else would."""
        at = now()
        verdict = verify_award(pk, at=at)
        if verdict is None:
            raise NoSuchCredential
        return Response(verdict_as_data(verdict, at))


class VerifyView(PublicView):
    """Whether any credential is genuine and in force."""

    parser_classes = (RawParser,)

    @extend_schema(auth=[], request=OpenApiTypes.OBJECT, responses=VerdictSerializer)
    def post(self, request: Request) -> Response:
        """Check a posted Open Badges 3.0 credential (JSON-LD), of whichever issuer.

        Nothing is fetched: keys and status lists of other issuers are `unknown`, but for
        `did:key`.
        """
        at = now()
        posted = request.data
        source = posted.get("source", b"") if isinstance(posted, dict) else b""
        return Response(verdict_as_data(verify_source(source, at=at), at))
