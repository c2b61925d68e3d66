"""A real OpenID provider in a process of its own, which also lies when it is told to.

`python -m tests.sso.op PORT` serves it; `PUT /users/<sub>` says who somebody is, `POST /behave`
how its tokens are wrong.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import flask
import jwt
import oidc_provider_mock
from cryptography.hazmat.primitives.asymmetric import rsa
from oidc_provider_mock._storage import storage

FOREIGN = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CHANGES: dict[str, dict[str, Any]] = {
    "other-issuer": {"iss": "https://elsewhere.example"},
    "other-audience": {"aud": "another-client"},
    "shared-audience": {"aud": ["assay", "another"], "azp": "another"},
    "expired": {"exp": 1_000_000_000},
    "other-nonce": {"nonce": "another"},
    "no-nonce": {"nonce": None},
    "thin-token": {"email": None, "email_verified": None},
    "other-userinfo": {"email": None, "email_verified": None},
}
state = {"fault": ""}


def altered(token: str) -> str:
    """Return the ID token with the fault of the moment, signed as that fault says."""
    claims = jwt.decode(token, options={"verify_signature": False})
    header = jwt.get_unverified_header(token)
    claims = {**claims, **CHANGES.get(state["fault"], {})}
    claims = {name: value for name, value in claims.items() if value is not None}
    headers = {"kid": header["kid"]} if "kid" in header else {}
    if state["fault"] == "unsigned":
        return jwt.encode(claims, "", algorithm="none", headers=headers)
    if state["fault"] == "shared-key":
        return jwt.encode(claims, "the-clients-secret-as-a-key-0123456789", algorithm="HS256")
    own = storage.jwk.as_dict(is_private=True)
    key = FOREIGN if state["fault"] == "other-key" else jwt.PyJWK(own, algorithm="RS256").key
    return jwt.encode(claims, key, algorithm="RS256", headers=headers)


def serve(port: int) -> None:
    app = oidc_provider_mock.app(require_nonce=True)

    @app.post("/behave")
    def behave() -> str:
        state["fault"] = (flask.request.get_json() or {}).get("fault", "")
        return "ok"

    @app.after_request
    def lie(response: flask.Response) -> flask.Response:
        path, fault = flask.request.path, state["fault"]
        if not fault or response.status_code != 200 or not response.is_json:
            return response
        body = response.get_json()
        if path == "/oauth2/token" and fault == "no-token":
            del body["id_token"]
        elif path == "/oauth2/token":
            body["id_token"] = altered(body["id_token"])
        elif path == "/userinfo" and fault == "other-userinfo":
            body["sub"] = "somebody-else"
        elif path.startswith("/.well-known/") and fault == "other-discovery":
            body["issuer"] = "https://elsewhere.example"
        response.set_data(json.dumps(body))
        return response

    app.run(port=port, threaded=True, use_reloader=False)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
