from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.credentials.keys import SealBroken, generate, open_sealed, seal
from tests.credentials.examples import KEY

WRAPPING = bytes(range(100, 132))
SEALED = seal(KEY, wrapping_key=WRAPPING, key_id="org-1/key-1")


def test_generate_gives_a_new_key_each_time() -> None:
    assert generate().private_bytes_raw() != generate().private_bytes_raw()


def test_open_sealed_returns_the_key() -> None:
    opened = open_sealed(SEALED, wrapping_key=WRAPPING, key_id="org-1/key-1")
    assert opened.private_bytes_raw() == KEY.private_bytes_raw()


def test_seal_hides_the_key_differently_each_time() -> None:
    again = seal(KEY, wrapping_key=WRAPPING, key_id="org-1/key-1")
    assert again != SEALED
    assert KEY.private_bytes_raw() not in SEALED


def test_open_sealed_refuses_another_key_id() -> None:
    with pytest.raises(SealBroken):
        open_sealed(SEALED, wrapping_key=WRAPPING, key_id="org-2/key-1")


def test_open_sealed_refuses_another_wrapping_key() -> None:
    with pytest.raises(SealBroken):
        open_sealed(SEALED, wrapping_key=bytes(32), key_id="org-1/key-1")


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_open_sealed_refuses_any_changed_byte(place: int, change: int) -> None:
    altered = bytearray(SEALED)
    altered[place] ^= change
    with pytest.raises(SealBroken):
        open_sealed(bytes(altered), wrapping_key=WRAPPING, key_id="org-1/key-1")


@given(st.integers(0, len(SEALED) - 1))
def test_open_sealed_refuses_a_cut_seal(length: int) -> None:
    with pytest.raises(SealBroken):
        open_sealed(SEALED[:length], wrapping_key=WRAPPING, key_id="org-1/key-1")


@pytest.mark.parametrize("length", [0, 16, 24, 31, 33, 64])
def test_wrapping_key_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        seal(KEY, wrapping_key=bytes(length), key_id="k")
    with pytest.raises(ValueError, match="32 bytes"):
        open_sealed(SEALED, wrapping_key=bytes(length), key_id="k")
