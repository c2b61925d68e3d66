from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.credentials.canonical import NotLinkedData, canonical_nquads
from apps.credentials.contexts import UnknownContext
from apps.credentials.coverage import NotCovered
from apps.credentials.dataintegrity import (
    ProofRefused,
    ProofUnsupported,
    hash_data,
    sign,
    verify,
)
from apps.credentials.documents import DocumentRefused
from apps.credentials.multikey import decode_public_key, decode_secret_key, encode_base58btc
from apps.credentials.openbadges import credential_document
from tests.credentials.examples import (
    KEY,
    METHOD,
    NOW,
    OTHER_KEY,
    award,
    credential,
    needs_samples,
    patient,
    sample,
    with_vocabulary,
)

Step = str | int
REFUSALS = (ProofRefused, UnknownContext, NotLinkedData, NotCovered)
EXAMPLES = with_vocabulary(
    "https://www.w3.org/ns/credentials/examples/v2",
    {"@vocab": "https://www.w3.org/ns/credentials/examples#"},
)
_XSD = "http://www.w3.org/2001/XMLSchema#"
# As much of the citizenship vocabulary as the employment vector uses.
CITIZENSHIP = with_vocabulary(
    "https://w3id.org/citizenship/v4rc1",
    {
        **{
            name: f"https://w3id.org/citizenship#{name}"
            for name in (
                "EmployablePerson",
                "EmploymentAuthorizationDocument",
                "EmploymentAuthorizationDocumentCredential",
                "birthCountry",
                "employmentAuthorizationDocument",
                "lprCategory",
                "lprNumber",
            )
        },
        **{
            name: f"https://schema.org/{name}"
            for name in (
                "Person",
                "additionalName",
                "familyName",
                "gender",
                "givenName",
                "identifier",
            )
        },
        "birthDate": {"@id": "https://schema.org/birthDate", "@type": f"{_XSD}dateTime"},
        "image": {"@id": "https://schema.org/image", "@type": "@id"},
        "residentSince": {
            "@id": "https://w3id.org/citizenship#residentSince",
            "@type": f"{_XSD}dateTime",
        },
    },
)
VECTORS = [
    pytest.param("unsigned.json", "eddsa-rdfc-2022", EXAMPLES, id="alumni"),
    pytest.param("employmentAuth.json", "eddsa-rdfc-2022/employ", CITIZENSHIP, id="employment"),
]


def files() -> dict[str, Any]:
    found: dict[str, Any] = sample("w3c-vc-di-eddsa/testvectors.json")["files"]
    return found


@needs_samples
@pytest.mark.parametrize(("unsigned", "folder", "known"), VECTORS)
def test_sign_gives_the_w3c_vectors_byte_for_byte(unsigned: str, folder: str, known: Any) -> None:
    expected = files()[f"{folder}/signedDataInt.json"]
    result = sign(
        files()[unsigned],
        private_key=decode_secret_key(files()["keyPair.json"]["privateKeyMultibase"]),
        verification_method=expected["proof"]["verificationMethod"],
        created=datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC),
        contexts=known,
    )
    assert json.dumps(result) == json.dumps(
        {name: expected[name] for name in [*files()[unsigned], "proof"]}
    )


@needs_samples
@pytest.mark.parametrize(("unsigned", "folder", "known"), VECTORS)
def test_hash_data_is_that_of_the_w3c_vectors(unsigned: str, folder: str, known: Any) -> None:
    configuration = canonical_nquads(files()[f"{folder}/proofConfigDataInt.json"], contexts=known)
    document = canonical_nquads(files()[unsigned], contexts=known)
    assert configuration == files()[f"{folder}/proofCanonDataInt.txt"]
    assert document == files()[f"{folder}/canonDocDataInt.txt"]
    expected = files()[f"{folder}/combinedHashDataInt.txt"]
    assert hash_data(configuration, document).hex() == expected


@needs_samples
@pytest.mark.parametrize(("unsigned", "folder", "known"), VECTORS)
def test_verify_accepts_the_w3c_vectors(unsigned: str, folder: str, known: Any) -> None:
    key = decode_public_key(files()["keyPair.json"]["publicKeyMultibase"])
    signed = files()[f"{folder}/signedDataInt.json"]
    verify(signed, public_key=key, contexts=known)
    with pytest.raises(ProofRefused):
        verify({**signed, "name": "Other"}, public_key=key, contexts=known)


@needs_samples
def test_verify_accepts_a_proof_with_an_id_and_refuses_to_read_sets() -> None:
    pairs = files()["proof-set-chain/multiKeyPairs.json"]
    key = decode_public_key(pairs["keyPair1"]["publicKeyMultibase"])
    verify(files()["proof-set-chain/signedProofSet1.json"], public_key=key, contexts=EXAMPLES)
    for name in ("signedProofSet2", "signedProofChain1", "signedProofChain2"):
        with pytest.raises(ProofUnsupported):
            verify(files()[f"proof-set-chain/{name}.json"], public_key=key, contexts=EXAMPLES)


def test_sign_leaves_the_document_as_it_was() -> None:
    document = credential_document(award())
    before = copy.deepcopy(document)
    signed = sign(document, private_key=KEY, verification_method=METHOD, created=NOW)
    assert document == before
    assert {name: value for name, value in signed.items() if name != "proof"} == before
    assert {**signed["proof"], "proofValue": ""} == {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2025-06-01T12:00:00Z",
        "verificationMethod": METHOD,
        "proofPurpose": "assertionMethod",
        "proofValue": "",
    }


def test_sign_twice_gives_the_same_bytes() -> None:
    again = sign(
        credential_document(award()), private_key=KEY, verification_method=METHOD, created=NOW
    )
    assert again == credential()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"unheardOf": "x"}, NotCovered),
        ({"jti": "urn:x"}, NotCovered),
        ({"id": "relative"}, NotCovered),
        ({"name": {"@value": "x", "@direction": "rtl"}}, NotCovered),
        ({"@context": ["https://example.org/c"]}, UnknownContext),
        ({"name": "nul \x00"}, DocumentRefused),
        ({"proof": {}}, ValueError),
    ],
)
def test_sign_refuses_what_it_could_not_protect(
    changes: dict[str, Any], error: type[Exception]
) -> None:
    document = {**credential_document(award()), **changes}
    with pytest.raises(error):
        sign(document, private_key=KEY, verification_method=METHOD, created=NOW)


def test_sign_refuses_a_relative_verification_method() -> None:
    with pytest.raises(ValueError, match="absolute"):
        sign(
            credential_document(award()),
            private_key=KEY,
            verification_method="#key-1",
            created=NOW,
        )


def test_verify_refuses_another_key() -> None:
    with pytest.raises(ProofRefused):
        verify(credential(), public_key=OTHER_KEY.public_key())


@pytest.mark.parametrize(
    "value",
    [None, 7, "", "z", "z0", encode_base58btc(bytes(63)), encode_base58btc(bytes(64)), "u" * 88],
)
def test_verify_refuses_another_proof_value(value: object) -> None:
    document = {**credential(), "proof": {**credential()["proof"], "proofValue": value}}
    with pytest.raises(ProofRefused):
        verify(document, public_key=KEY.public_key())


@pytest.mark.parametrize(
    "proof",
    [
        None,
        [],
        "proof",
        {},
        [credential()["proof"], credential()["proof"]],
        {**credential()["proof"], "type": "Ed25519Signature2020"},
        {**credential()["proof"], "cryptosuite": "eddsa-jcs-2022"},
        {**credential()["proof"], "proofPurpose": "authentication"},
        {**credential()["proof"], "@context": "https://www.w3.org/ns/credentials/v2"},
        {**credential()["proof"], "previousProof": "urn:x"},
    ],
)
def test_verify_refuses_another_kind_of_proof(proof: object) -> None:
    with pytest.raises(ProofRefused):
        verify({**credential(), "proof": proof}, public_key=KEY.public_key())


def places(value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """Every place in the document, with the members of objects and arrays."""
    members = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for step, item in members:
        yield (*path, step)
        yield from places(item, (*path, step))


def at(document: Any, path: tuple[Step, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


PLACES = list(places(credential()))
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-10, 10**6)
    | st.floats(-1e6, 1e6).map(lambda number: round(number, 3))
    | st.text(max_size=12)
    | st.sampled_from(["2025-01-01T00:00:00Z", "did:web:evil.example", "https://evil.example/"])
)


def refused(document: dict[str, Any]) -> bool:
    try:
        verify(document, public_key=KEY.public_key())
    except REFUSALS:
        return True
    return False


def test_verify_accepts_the_example() -> None:
    assert not refused(credential())


def test_verify_refuses_any_member_left_out() -> None:
    for path in PLACES:
        document = copy.deepcopy(credential())
        del at(document, path[:-1])[path[-1]]
        assert refused(document), path


@patient
@given(st.sampled_from(PLACES), scalars)
def test_verify_refuses_any_value_changed(path: tuple[Step, ...], value: Any) -> None:
    document = copy.deepcopy(credential())
    holder = at(document, path[:-1])
    if type(holder[path[-1]]) is type(value) and holder[path[-1]] == value:
        return
    holder[path[-1]] = value
    assert refused(document)


@patient
@given(st.sampled_from([path for path in PLACES if isinstance(path[-1], str)]), st.data())
def test_verify_refuses_any_member_added_or_renamed(path: tuple[Step, ...], data: Any) -> None:
    document = copy.deepcopy(credential())
    holder = at(document, path[:-1])
    name = data.draw(
        st.sampled_from(["name", "description", "url", "image", "evidence", "alignment", "proof"])
        | st.text(max_size=8)
    )
    if name in holder:
        return
    if data.draw(st.booleans()):
        holder[name] = holder.pop(path[-1])
    else:
        holder[name] = data.draw(scalars)
    assert refused(document)


@patient
@given(
    st.sampled_from([path for path in PLACES if isinstance(at(credential(), path), str)]),
    st.integers(0, 200),
    st.integers(1, 0x2000),
)
def test_verify_refuses_any_character_changed(
    path: tuple[Step, ...], place: int, change: int
) -> None:
    document = copy.deepcopy(credential())
    text = at(document, path)
    place %= len(text)
    letter = chr((ord(text[place]) + change) % 0xD800)
    at(document, path[:-1])[path[-1]] = text[:place] + letter + text[place + 1 :]
    assert refused(document)
