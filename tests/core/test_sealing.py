"""Secrets at rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.sealing import SealBroken, open_sealed, seal


@given(st.binary(max_size=200), st.text(max_size=40))
def test_open_sealed_returns_what_was_sealed(secret: bytes, owner: str) -> None:
    assert open_sealed(seal(secret, bound_to=owner), bound_to=owner) == secret


def test_open_sealed_refuses_the_seal_of_another_owner() -> None:
    sealed = seal(b"secret", bound_to="source/1")

    with pytest.raises(SealBroken):
        open_sealed(sealed, bound_to="source/2")


def test_seal_hides_the_secret_differently_each_time() -> None:
    one, two = (seal(b"secret", bound_to="a") for _ in range(2))

    assert one != two
    assert b"secret" not in one


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" * 28, b"\x02" + b"x" * 60])
def test_open_sealed_refuses_what_is_no_seal(sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        open_sealed(sealed, bound_to="a")
