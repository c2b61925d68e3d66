"""django-allauth's OpenID Connect, with the checks of the specification it leaves to others.

The ID token's signature is always checked (Core 3.1.3.7), it must carry the nonce of this very
sign-in, be ours alone or name us as the authorised party, and userinfo is believed only of the
same subject (5.3.2).
"""

from __future__ import annotations

import secrets
from typing import Any

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest, HttpResponse
from requests import RequestException

from apps.core.outbound import PrivateAddress
from apps.sso.problems import (
    AnswerUnreadable,
    AssertionExpired,
    NotAsked,
    ProviderUnreachable,
    SignInRefused,
    WrongAudience,
    WrongProvider,
    WrongSignature,
)
from apps.sso.rules import Asserted
from apps.sso.saml.provider import display_name
from apps.sso.selectors import callback_url

ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"})
CLOCKS_DIFFER_SECONDS = 60
NOT_ANSWERED = (RequestException, PrivateAddress, OAuth2Error, KeyError, TypeError, ValueError)

_REFUSALS: tuple[tuple[type[jwt.PyJWTError], type[SignInRefused]], ...] = (
    (jwt.ExpiredSignatureError, AssertionExpired),
    (jwt.ImmatureSignatureError, AssertionExpired),
    (jwt.InvalidIssuedAtError, AssertionExpired),
    (jwt.InvalidSignatureError, WrongSignature),
    (jwt.InvalidAlgorithmError, WrongSignature),
    (jwt.InvalidAudienceError, WrongAudience),
    (jwt.InvalidIssuerError, WrongProvider),
)


class OrganizationOidcClient(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """Speaks with the provider's endpoints on behalf of one request."""

    @property
    def openid_config(self) -> dict[str, Any]:
        """The provider's discovery document. Raises ProviderUnreachable, WrongProvider."""
        try:
            found: dict[str, Any] = super().openid_config
            issuer = found["issuer"]
        except NOT_ANSWERED as error:
            raise ProviderUnreachable(why=f"discovery: {error!r}") from error
        if issuer != self.provider_id:
            raise WrongProvider(why=f"the discovery document is of {issuer}")
        return found

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        return callback_url()

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """Return the sign-in that the ID token proves. Raises SignInRefused."""
        id_token = kwargs["response"].get("id_token")
        if not isinstance(id_token, str):
            raise AnswerUnreadable(why="the token response has no ID token")
        claims = self._verified(id_token, client_id=app.client_id)
        if "email" not in claims and "userinfo_endpoint" in self.openid_config:
            claims = {**self._userinfo(token.token, claims["sub"]), **claims}
        return self.get_provider().sociallogin_from_response(request, {"id_token": claims})

    def _verified(self, id_token: str, *, client_id: str) -> dict[str, Any]:
        try:
            algorithm, key = self._key(id_token)
            claims: dict[str, Any] = jwt.decode(
                id_token,
                key=key,
                algorithms=[algorithm],
                audience=client_id,
                issuer=self.provider_id,
                leeway=CLOCKS_DIFFER_SECONDS,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except jwt.PyJWTError as error:
            kinds = (kind for wrong, kind in _REFUSALS if isinstance(error, wrong))
            raise next(kinds, AnswerUnreadable)(why=f"ID token: {error!r}") from error
        audience = claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != client_id:
            raise WrongAudience(why=f"authorised party is {claims.get('azp')}")
        return claims

    def _key(self, id_token: str) -> tuple[str, Any]:
        """Return algorithm and public key by which the provider signed this token."""
        header = jwt.get_unverified_header(id_token)
        algorithm = header.get("alg", "")
        if algorithm not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError(algorithm)
        try:
            with get_adapter().get_requests_session() as session:
                answer = session.get(self.openid_config["jwks_uri"])
                answer.raise_for_status()
                keys = jwt.PyJWKSet.from_dict(answer.json()).keys
        except (*NOT_ANSWERED, jwt.PyJWKSetError) as error:
            raise ProviderUnreachable(why=f"keys: {error!r}") from error
        fitting = [
            one
            for one in keys
            if header.get("kid") in (None, one.key_id) and one.public_key_use in (None, "sig")
        ]
        if len(fitting) != 1:
            raise jwt.InvalidSignatureError(f"{len(fitting)} keys are named {header.get('kid')}")
        return algorithm, fitting[0].key

    def _userinfo(self, access_token: str, subject: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._fetch_user_info(access_token)
            told = found["sub"]
        except NOT_ANSWERED as error:
            raise ProviderUnreachable(why=f"userinfo: {error!r}") from error
        if told != subject:
            raise AnswerUnreadable(why="userinfo is of another subject")
        return found


class OrganizationOidcProvider(OpenIDConnectProvider):  # type: ignore[misc]
    """The OpenID provider of the organisation in force."""

    oauth2_adapter_class = OrganizationOidcClient

    def redirect(
        self,
        request: HttpRequest,
        process: str,
        next_url: str | None = None,
        data: Any = None,
        **kwargs: Any,
    ) -> HttpResponse:
        """Send the browser to the provider, with PKCE and a nonce that the answer must carry."""
        nonce = secrets.token_urlsafe(24)
        kwargs["auth_params"] = {"nonce": nonce}
        response: HttpResponse = super().redirect(
            request, process, next_url, data, nonce=nonce, **kwargs
        )
        return response

    def sociallogin_from_response(self, request: HttpRequest, response: dict[str, Any]) -> Any:
        claims = response["id_token"]
        verified = claims.get("email_verified")
        names = {
            "name": claims.get("name"),
            "first_name": claims.get("given_name"),
            "last_name": claims.get("family_name"),
        }
        login = super().sociallogin_from_response(request, response)
        login.nonce = claims.get("nonce")
        login.asserted = Asserted(
            provider_id=self.sub_id,
            subject=str(claims["sub"]),
            email=str(claims.get("email") or ""),
            display_name=str(display_name(names)),
            is_email_verified=None if verified is None else str(verified).lower() == "true",
            hosted_domain=str(claims.get("hd") or ""),
        )
        return login


def check_nonce(login: Any) -> None:
    """Raise NotAsked unless the ID token answers this very sign-in."""
    if login.state.get("nonce") != getattr(login, "nonce", None):
        raise NotAsked(why="the nonce is of another sign-in")
