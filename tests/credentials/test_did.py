from __future__ import annotations

import copy
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from apps.credentials.did import (
    DidInvalid,
    KeyNotPublished,
    KeyUnreachable,
    PublishedKey,
    VerificationKey,
    did_document,
    did_key,
    did_web,
    did_web_url,
    find_key,
    resolver_of,
)
from apps.credentials.multikey import encode_public_key, encode_secret_key
from tests.credentials.examples import DID, DID_DOCUMENT, KEY, METHOD, NOW, OTHER_KEY

PUBLIC = KEY.public_key()
FOUND = VerificationKey(id=METHOD, controller=DID, public_key=PUBLIC, may_assert=True)


@pytest.mark.parametrize(
    ("host", "path", "did", "url"),
    [
        ("acme.example", (), "did:web:acme.example", "https://acme.example/.well-known/did.json"),
        (
            "acme.localhost:8000",
            (),
            "did:web:acme.localhost%3A8000",
            "https://acme.localhost:8000/.well-known/did.json",
        ),
        (
            "acme.example",
            ("orgs", "a-1"),
            "did:web:acme.example:orgs:a-1",
            "https://acme.example/orgs/a-1/did.json",
        ),
        (
            "xn--mnchen-3ya.example:443",
            ("x",),
            "did:web:xn--mnchen-3ya.example%3A443:x",
            "https://xn--mnchen-3ya.example:443/x/did.json",
        ),
    ],
)
def test_did_web_and_its_address(host: str, path: tuple[str, ...], did: str, url: str) -> None:
    assert did_web(host, *path) == did
    assert did_web_url(did) == url


@pytest.mark.parametrize(
    "host",
    [
        "",
        "Acme.example",
        "acme.example/x",
        "acme_example",
        "-acme.example",
        "acme..example",
        "acme.example:",
        "acme.example:port",
        "acme.example:123456",
        "user@acme.example",
        "127.0.0.1",
        "127.0.0.1:8000",
        "[::1]",
        "acme.example\n",
        "münchen.example",
    ],
)
def test_did_web_refuses_what_is_not_a_host(host: str) -> None:
    with pytest.raises(DidInvalid):
        did_web(host)


@pytest.mark.parametrize(
    "did",
    [
        "",
        "did:web:",
        "did:key:z6Mk",
        "x did:web:acme.example",
        "did:web:acme.example:",
        "did:web:acme.example:..",
        "did:web:acme.example:a%2Fb",
        "did:web:acme.example%2Fx",
        "did:web:acme.example%3A80%3A80",
        "did:web:acme.example#key-1",
        "did:web:acme.example?x",
        "did:web:169.254.169.254",
        "did:web:localhost@evil.example",
    ],
)
def test_did_web_url_refuses_other_identifiers(did: str) -> None:
    with pytest.raises(DidInvalid):
        did_web_url(did)


def test_did_document_lists_old_and_revoked_keys_and_lets_only_good_ones_assert() -> None:
    document = did_document(
        did=DID,
        keys=[
            PublishedKey(fragment="key-1", public_key=PUBLIC),
            PublishedKey(fragment="key-2", public_key=OTHER_KEY.public_key(), revoked_at=NOW),
        ],
    )
    assert document == {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": DID,
        "verificationMethod": [
            {
                "id": f"{DID}#key-1",
                "type": "Multikey",
                "controller": DID,
                "publicKeyMultibase": encode_public_key(PUBLIC),
            },
            {
                "id": f"{DID}#key-2",
                "type": "Multikey",
                "controller": DID,
                "publicKeyMultibase": encode_public_key(OTHER_KEY.public_key()),
                "revoked": "2025-06-01T12:00:00Z",
            },
        ],
        "assertionMethod": [f"{DID}#key-1"],
    }
    assert find_key(document, f"{DID}#key-2") == VerificationKey(
        id=f"{DID}#key-2",
        controller=DID,
        public_key=OTHER_KEY.public_key(),
        may_assert=False,
        revoked_at=NOW,
    )


def test_find_key_reads_our_own_document() -> None:
    assert find_key(DID_DOCUMENT, METHOD) == FOUND


def test_find_key_reads_relative_and_embedded_methods_and_jwk() -> None:
    point = urlsafe_b64encode(PUBLIC.public_bytes_raw()).rstrip(b"=").decode()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": point}
    method = {"id": "#key-1", "controller": DID, "type": "JsonWebKey", "publicKeyJwk": jwk}
    documents = [
        {"id": DID, "verificationMethod": [method], "assertionMethod": ["#key-1"]},
        {"id": DID, "verificationMethod": method, "assertionMethod": METHOD},
        {"id": DID, "assertionMethod": [method]},
    ]
    assert [find_key(document, METHOD) for document in documents] == [FOUND] * 3


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("id", "did:web:other.example"),
        ("id", None),
        ("verificationMethod", None),
        ("verificationMethod", "text"),
        ("verificationMethod", [None, 7, {"id": 7}, {"id": METHOD}]),
        ("verificationMethod", [{"id": METHOD, "publicKeyMultibase": "z6Mk"}]),
        ("verificationMethod", [{"id": METHOD, "publicKeyMultibase": encode_secret_key(KEY)}]),
        ("verificationMethod", [{"id": METHOD, "publicKeyJwk": {"crv": "Ed25519", "x": "é"}}]),
        ("verificationMethod", [{"id": METHOD, "publicKeyJwk": {"crv": "Ed25519"}}]),
        ("verificationMethod", [{"id": METHOD, "publicKeyJwk": {"crv": "P-256", "x": "AA"}}]),
        (
            "verificationMethod",
            [{"id": METHOD, "publicKeyMultibase": encode_public_key(PUBLIC), "revoked": "soon"}],
        ),
    ],
)
def test_find_key_refuses_documents_without_the_key(member: str, value: Any) -> None:
    document = {**copy.deepcopy(DID_DOCUMENT), member: value}
    with pytest.raises(KeyNotPublished):
        find_key(document, METHOD)


def test_find_key_never_takes_another_key_of_the_document() -> None:
    with pytest.raises(KeyNotPublished):
        find_key(DID_DOCUMENT, f"{DID}#key-2")


def test_resolver_knows_its_documents_and_did_key() -> None:
    resolve = resolver_of({DID: DID_DOCUMENT})
    did = did_key(PUBLIC)
    method = f"{did}#{did.removeprefix('did:key:')}"
    assert resolve(METHOD) == FOUND
    assert resolve(method) == VerificationKey(
        id=method, controller=did, public_key=PUBLIC, may_assert=True
    )


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("did:web:other.example#key-1", KeyUnreachable),
        ("https://acme.example#key-1", KeyUnreachable),
        ("", KeyUnreachable),
        (f"{DID}#key-9", KeyNotPublished),
        (DID, KeyNotPublished),
        (did_key(PUBLIC), KeyNotPublished),
        (f"{did_key(PUBLIC)}#z6Mk", KeyNotPublished),
        ("did:key:zzz#zzz", KeyNotPublished),
    ],
)
def test_resolver_tells_unreachable_from_unpublished(method: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        resolver_of({DID: DID_DOCUMENT})(method)
