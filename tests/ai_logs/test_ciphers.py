"""Two keys from one secret: one seals what nobody else opens, one recognises what was said."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.ai_logs.ciphers import SECRET_BYTES, SessionCipher, cipher_of, new_secret, seal_secret
from apps.core.sealing import SealBroken

ONE, OTHER = UUID(int=1), UUID(int=2)


def cipher(session: UUID = ONE, secret: bytes = bytes(range(32))) -> SessionCipher:
    return cipher_of(seal_secret(secret, session_id=session), session_id=session)


@given(st.binary(max_size=2000))
def test_open_returns_what_was_sealed(content: bytes) -> None:
    sealed = cipher().seal(content, place=OTHER)

    assert cipher().open(sealed, place=OTHER) == content
    assert len(sealed) == len(content) + 29  # version, nonce, tag


def test_open_refuses_another_place_another_session_and_another_secret() -> None:
    sealed = cipher().seal(b"yes", place=OTHER)

    for stranger, place in (
        (cipher(), ONE),
        (cipher(OTHER), OTHER),
        (cipher(secret=bytes(32)), OTHER),
    ):
        with pytest.raises(SealBroken):
            stranger.open(sealed, place=place)


def test_digest_is_the_same_for_the_same_words_under_one_secret_only() -> None:
    assert cipher().digest(b"yes") == cipher().digest(b"yes")
    assert len({cipher(secret=bytes([n] * 32)).digest(b"yes") for n in range(5)}) == 5


def test_a_secret_opens_for_its_session_only() -> None:
    sealed = seal_secret(new_secret(), session_id=ONE)

    with pytest.raises(SealBroken):
        cipher_of(sealed, session_id=OTHER)


def test_new_secrets_differ_and_the_keys_stay_out_of_sight() -> None:
    assert len({new_secret() for _ in range(9)}) == 9
    assert {len(new_secret())} == {SECRET_BYTES}
    assert "_encryption" not in repr(cipher())
