from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from apps.credentials.multikey import (
    MultibaseInvalid,
    decode_base58btc,
    decode_public_key,
    decode_secret_key,
    encode_base58btc,
    encode_public_key,
    encode_secret_key,
)
from tests.credentials.examples import KEY, needs_samples, sample


@needs_samples
def test_keys_are_those_of_the_w3c_vectors() -> None:
    files = sample("w3c-vc-di-eddsa/testvectors.json")["files"]
    pairs = [files["keyPair.json"], *files["proof-set-chain/multiKeyPairs.json"].values()]
    for pair in pairs:
        secret = decode_secret_key(pair["privateKeyMultibase"])
        assert encode_secret_key(secret) == pair["privateKeyMultibase"]
        assert encode_public_key(secret.public_key()) == pair["publicKeyMultibase"]
        assert decode_public_key(pair["publicKeyMultibase"]) == secret.public_key()


@given(st.binary(min_size=32, max_size=32))
def test_keys_come_back_from_their_text(secret: bytes) -> None:
    key = Ed25519PrivateKey.from_private_bytes(secret)
    assert decode_secret_key(encode_secret_key(key)).private_bytes_raw() == secret
    assert decode_public_key(encode_public_key(key.public_key())) == key.public_key()


@given(st.binary(max_size=80))
def test_base58btc_round_trip_keeps_leading_zeros(content: bytes) -> None:
    assert decode_base58btc(encode_base58btc(content)) == content
    assert decode_base58btc(encode_base58btc(b"\0\0" + content)) == b"\0\0" + content


@pytest.mark.parametrize(
    "text", ["", "6Mk", "z0", "zO", "zI", "zl", "z+", "zé", "z" + "2" * 128, "u6Mk"]
)
def test_decode_base58btc_refuses_other_text(text: str) -> None:
    with pytest.raises(MultibaseInvalid):
        decode_base58btc(text)


@pytest.mark.parametrize(
    "content", [b"", b"\xed\x01", b"\xed\x01" + bytes(31), b"\xed\x01" + bytes(33), bytes(34)]
)
def test_decode_public_key_refuses_other_contents(content: bytes) -> None:
    with pytest.raises(MultibaseInvalid):
        decode_public_key(encode_base58btc(content))


def test_decode_refuses_a_key_of_the_other_kind() -> None:
    with pytest.raises(MultibaseInvalid):
        decode_public_key(encode_secret_key(KEY))
    with pytest.raises(MultibaseInvalid):
        decode_secret_key(encode_public_key(KEY.public_key()))
