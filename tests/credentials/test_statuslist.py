from __future__ import annotations

import base64
import gzip
import zlib
from collections import Counter
from random import Random
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.credentials.statuslist import (
    MAX_BYTES,
    MIN_ENTRIES,
    StatusListInvalid,
    bitstring,
    decode,
    encode,
    random_index,
    status_at,
    status_list_credential,
)
from tests.credentials.examples import DID, NOW, STATUS_URL, patient
from tests.pace import allowed

indices = st.sets(st.integers(0, MIN_ENTRIES - 1), max_size=20)


def packed(content: bytes) -> str:
    return "u" + base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def test_bitstring_puts_the_first_entry_into_the_most_significant_bit() -> None:
    bits = bitstring([0, 9, MIN_ENTRIES - 1])
    assert len(bits) == 16_384
    assert (bits[0], bits[1], bits[-1]) == (0b1000_0000, 0b0100_0000, 0b0000_0001)
    assert sum(bits) == 0b1000_0000 + 0b0100_0000 + 1


@patient
@given(indices)
def test_status_list_round_trip(chosen: set[int]) -> None:
    bits = decode(encode(bitstring(chosen)))
    probes = chosen | {0, 1, MIN_ENTRIES - 1}
    assert {index for index in probes if status_at(bits, index)} == chosen


def test_status_at_reads_several_bits() -> None:
    bits = bitstring([0, 3, 5])  # 1001 01..
    assert [status_at(bits, index, size=2) for index in range(3)] == [0b10, 0b01, 0b01]


def test_encode_is_stable() -> None:
    assert encode(bitstring([5])) == encode(bitstring([5]))
    assert encode(bitstring([5])).startswith("uH4sIAAAAAAA")


@pytest.mark.parametrize("index", [-1, MIN_ENTRIES, 10**12])
def test_indices_outside_the_list_are_refused(index: int) -> None:
    with pytest.raises(StatusListInvalid):
        bitstring([index])
    with pytest.raises(StatusListInvalid):
        status_at(bitstring([]), index)


@pytest.mark.parametrize("size", [0, 8, MIN_ENTRIES - 8, MIN_ENTRIES + 1, MAX_BYTES * 8 + 8])
def test_bitstring_refuses_other_sizes(size: int) -> None:
    with pytest.raises(StatusListInvalid):
        bitstring([], size=size)


def test_decode_stops_at_a_gzip_bomb() -> None:
    bomb = packed(gzip.compress(bytes(200 * 1024 * 1024), compresslevel=1))
    started = process_time()
    with pytest.raises(StatusListInvalid, match="more than"):
        decode(bomb)
    assert process_time() - started < allowed(1)


FULL = gzip.compress(bytes(MIN_ENTRIES // 8))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "u",
        "z" + packed(FULL)[1:],
        packed(FULL)[1:],
        packed(FULL) + "!",
        packed(FULL[:-4]),
        packed(FULL + b"x"),
        packed(FULL + FULL),
        packed(zlib.compress(bytes(MIN_ENTRIES // 8))),
        packed(gzip.compress(bytes(MIN_ENTRIES // 8 - 1))),
        packed(b"\x1f\x8b"),
        "uüü",
    ],
    ids=[f"damage-{number}" for number in range(12)],
)
def test_decode_refuses_damaged_lists(text: str) -> None:
    with pytest.raises(StatusListInvalid):
        decode(text)


@patient
@given(st.text(max_size=30))
def test_decode_answers_any_text_with_a_refusal(text: str) -> None:
    with pytest.raises(StatusListInvalid):
        decode("u" + text)


def test_status_list_credential_has_every_member() -> None:
    document = status_list_credential(
        url=STATUS_URL,
        issuer=DID,
        purpose="revocation",
        set_indices=[3],
        valid_from=NOW,
        valid_until=NOW,
    )
    assert document == {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": STATUS_URL,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": DID,
        "validFrom": "2025-06-01T12:00:00Z",
        "validUntil": "2025-06-01T12:00:00Z",
        "credentialSubject": {
            "id": f"{STATUS_URL}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": encode(bitstring([3])),
        },
    }


@given(st.integers(1, 2**40), st.integers())
def test_random_index_is_inside_the_list(size: int, seed: int) -> None:
    assert random_index(size, Random(seed).randbytes) in range(size)


def test_random_index_prefers_none() -> None:
    randbytes = Random(7).randbytes
    drawn = Counter(random_index(7, randbytes) for _ in range(4_000))
    expected = 4_000 / 7
    assert set(drawn) == set(range(7))
    assert all(abs(count - expected) < expected * 0.15 for count in drawn.values())


def test_random_index_throws_away_what_would_favour_low_numbers() -> None:
    draws = iter([b"\xff" * 8, (9).to_bytes(8, "big")])
    assert random_index(7, lambda count: next(draws)) == 2
