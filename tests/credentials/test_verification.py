from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import timedelta
from functools import reduce
from time import process_time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from apps.credentials.contexts import CREDENTIALS_V2, OPEN_BADGES_V3
from apps.credentials.dataintegrity import sign
from apps.credentials.did import (
    KeyResolver,
    KeyUnreachable,
    PublishedKey,
    VerificationKey,
    did_document,
    did_key,
    resolver_of,
)
from apps.credentials.findings import State
from apps.credentials.openbadges import IssuerSpec, credential_document
from apps.credentials.reasons import Reason
from apps.credentials.verification import STEP_NAMES, Verification, verify_credential
from tests.credentials.examples import (
    DID,
    DID_DOCUMENT,
    KEY,
    METHOD,
    NOW,
    OTHER_KEY,
    award,
    credential,
    known_keys,
    patient,
    serving,
    signed,
    status_list,
)
from tests.pace import allowed

GOOD = {
    "structure": Reason.STRUCTURE_COMPLETE,
    "context": Reason.CONTEXT_KNOWN,
    "proof": Reason.PROOF_HOLDS,
    "issuer": Reason.ISSUER_CONFIRMED,
    "validity": Reason.IN_FORCE,
    "status": Reason.NOT_REVOKED,
}
LIST = status_list()


def never(address: str) -> Any:
    raise AssertionError(f"{address} must not be asked for")


def verified(source: Any, **ports: Any) -> Verification:
    given_ports: dict[str, Any] = {
        "resolve_key": known_keys(),
        "resolve_status": serving(LIST),
        "now": NOW,
    }
    return verify_credential(source, **{**given_ports, **ports})


def reasons(verification: Verification) -> dict[str, Reason]:
    return {step.name: step.reason for step in verification.steps}


def test_verify_credential_accepts_what_we_issue() -> None:
    for source in (credential(), json.dumps(credential()), json.dumps(credential()).encode()):
        verification = verified(source)
        assert reasons(verification) == GOOD
        assert verification.state is State.VALID
        assert verification.document == credential()


def test_every_step_explains_itself() -> None:
    verification = verified(credential())
    assert tuple(step.name for step in verification.steps) == STEP_NAMES
    assert [step.sentence for step in verification.steps] == [
        "All parts of the credential are there.",
        "Every part of the content has a published, fixed meaning.",
        "The content is exactly what was signed.",
        "The signing key belongs to the named issuer.",
        "The credential is within its period of validity.",
        "The issuer has not revoked the credential.",
    ]


def test_reasons_have_distinct_codes_and_sentences() -> None:
    assert len({reason.value for reason in Reason}) == len(Reason)
    assert all(reason.sentence.endswith(".") for reason in Reason)
    assert Reason("revoked").sentence == "The issuer has revoked the credential."


def test_a_changed_name_is_refused() -> None:
    document = copy.deepcopy(credential())
    document["credentialSubject"]["identifier"][0]["identityHash"] = "Eve"
    verification = verified(document, resolve_status=never)
    assert verification.state is State.INVALID
    assert reasons(verification) == {
        **GOOD,
        "proof": Reason.PROOF_BROKEN,
        "status": Reason.NOT_CHECKED,
    }


def test_an_added_statement_is_refused_and_named() -> None:
    verification = verified({**credential(), "remark": "with honours"}, resolve_key=never)
    assert verification.state is State.INVALID
    assert reasons(verification) == {
        **GOOD,
        "context": Reason.CONTENT_UNPROTECTED,
        "proof": Reason.NOT_CHECKED,
        "issuer": Reason.NOT_CHECKED,
        "status": Reason.NOT_CHECKED,
    }
    context = verification.steps[1]
    assert context.detail == "/remark: the contexts give this no meaning"


def test_an_unknown_context_leaves_it_unknown() -> None:
    document = {**credential(), "@context": [CREDENTIALS_V2, "https://example.org/c"]}
    verification = verified(document, resolve_key=never, resolve_status=never)
    assert verification.state is State.UNKNOWN
    assert reasons(verification)["context"] is Reason.CONTEXT_UNKNOWN


@pytest.mark.parametrize(
    ("proof", "reason", "state"),
    [
        (None, Reason.PROOF_MISSING, State.INVALID),
        ({"type": "Ed25519Signature2020"}, Reason.PROOF_UNSUPPORTED, State.UNKNOWN),
        ([credential()["proof"]] * 2, Reason.PROOF_UNSUPPORTED, State.UNKNOWN),
        (
            {**credential()["proof"], "proofPurpose": "authentication"},
            Reason.PROOF_MISSING,
            State.INVALID,
        ),
    ],
)
def test_other_proofs_are_not_believed(proof: Any, reason: Reason, state: State) -> None:
    verification = verified({**credential(), "proof": proof}, resolve_key=never)
    assert verification.state is state
    assert reasons(verification) == {
        **GOOD,
        "proof": reason,
        "issuer": Reason.NOT_CHECKED,
        "status": Reason.NOT_CHECKED,
    }


def test_somebody_elses_signature_is_refused_without_asking_for_their_key() -> None:
    document = credential_document(award(issuer=IssuerSpec(id="did:web:rich.example", name="R")))
    verification = verified(signed(document), resolve_key=never, resolve_status=never)
    assert verification.state is State.INVALID
    assert reasons(verification) == {
        **GOOD,
        "proof": Reason.NOT_CHECKED,
        "issuer": Reason.ISSUER_MISMATCH,
        "status": Reason.NOT_CHECKED,
    }


def test_a_key_of_another_controller_is_refused() -> None:
    foreign = VerificationKey(
        id=METHOD, controller="did:web:evil.example", public_key=KEY.public_key(), may_assert=True
    )
    verification = verified(credential(), resolve_key=lambda _: foreign, resolve_status=never)
    assert verification.state is State.INVALID
    assert reasons(verification)["issuer"] is Reason.ISSUER_MISMATCH


def document_with(*keys: PublishedKey) -> KeyResolver:
    return resolver_of({DID: did_document(did=DID, keys=keys)})


def unreachable(method: str) -> VerificationKey:
    raise KeyUnreachable(method)


REVOKED = PublishedKey(fragment="key-1", public_key=KEY.public_key(), revoked_at=NOW)
ANOTHER = PublishedKey(fragment="key-2", public_key=KEY.public_key())
EXCHANGED = PublishedKey(fragment="key-1", public_key=OTHER_KEY.public_key())


@pytest.mark.parametrize(
    ("resolve_key", "changes", "state"),
    [
        (document_with(REVOKED), {"issuer": Reason.KEY_REVOKED}, State.INVALID),
        (
            document_with(ANOTHER),
            {"issuer": Reason.KEY_NOT_PUBLISHED, "proof": Reason.NOT_CHECKED},
            State.INVALID,
        ),
        (document_with(EXCHANGED), {"proof": Reason.PROOF_BROKEN}, State.INVALID),
        (
            resolver_of({DID: {**DID_DOCUMENT, "assertionMethod": []}}),
            {"issuer": Reason.KEY_NOT_FOR_CREDENTIALS},
            State.INVALID,
        ),
        (
            unreachable,
            {"issuer": Reason.KEY_UNREACHABLE, "proof": Reason.NOT_CHECKED},
            State.UNKNOWN,
        ),
    ],
)
def test_keys_are_judged(
    resolve_key: KeyResolver, changes: dict[str, Reason], state: State
) -> None:
    verification = verified(credential(), resolve_key=resolve_key, resolve_status=never)
    assert verification.state is state
    assert reasons(verification) == {**GOOD, "status": Reason.NOT_CHECKED, **changes}


def test_an_old_key_still_verifies_after_rotation() -> None:
    old = PublishedKey(fragment="key-1", public_key=KEY.public_key())
    new = PublishedKey(fragment="key-2", public_key=OTHER_KEY.public_key())
    assert verified(credential(), resolve_key=document_with(new, old)).state is State.VALID


def test_did_key_issuers_are_read_too() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    did = did_key(key.public_key())
    document = credential_document(award(issuer=IssuerSpec(id=did, name="Self"), statuses=[]))
    method = f"{did}#{did.removeprefix('did:key:')}"
    secured = sign(document, private_key=key, verification_method=method, created=NOW)
    verification = verified(secured, resolve_key=resolver_of({}), resolve_status=never)
    assert reasons(verification) == {**GOOD, "status": Reason.STATUS_NONE}


@pytest.mark.parametrize(
    ("at", "reason", "state"),
    [
        (NOW - timedelta(days=30), Reason.IN_FORCE, State.VALID),
        (NOW - timedelta(days=30, seconds=60), Reason.IN_FORCE, State.VALID),
        (NOW - timedelta(days=30, seconds=61), Reason.NOT_YET_VALID, State.INVALID),
        (NOW + timedelta(days=700), Reason.IN_FORCE, State.VALID),
        (NOW + timedelta(days=700, seconds=1), Reason.EXPIRED, State.INVALID),
    ],
)
def test_the_period_of_validity_is_judged_at_the_given_time(
    at: Any, reason: Reason, state: State
) -> None:
    eternal = status_list(valid_from=NOW - timedelta(days=31), valid_until=None)
    verification = verified(credential(), now=at, resolve_status=serving(eternal))
    assert verification.state is state
    assert reasons(verification) == {**GOOD, "validity": reason}


def loop() -> dict[str, Any]:
    document = dict(credential())
    document["evidence"] = [document]
    return document


def evidenced(evidence: list[dict[str, Any]]) -> dict[str, Any]:
    return {**credential(), "evidence": evidence}


def tagged(count: int) -> dict[str, Any]:
    document = copy.deepcopy(credential())
    document["credentialSubject"]["achievement"]["tag"] = [str(n) for n in range(count)]
    return document


def parents(organisation: Any) -> dict[str, Any]:
    return {**credential(), "issuer": {"id": DID, "type": "Profile", "parentOrg": organisation}}


def nest(inner: Any, _: int) -> dict[str, Any]:
    return {"type": "Profile", "parentOrg": inner}


def twins(depth: int, path: str = "") -> Any:
    """Blank nodes alike in their own statements, different only at the leaves."""
    if not depth:
        return {"type": "Profile", "name": path}
    return [nest(twins(depth - 1, path + letter), 0) for letter in "abc"]


def image(number: int) -> dict[str, str]:
    return {"id": f"urn:image:{number}", "type": "Image"}


HOSTILE: dict[str, tuple[Callable[[], Any], str, Reason]] = {
    "nothing": (lambda: b"", "structure", Reason.NOT_JSON),
    "no object": (lambda: b"[]", "structure", Reason.NOT_AN_OBJECT),
    "deep arrays": (lambda: b"[" * 500_000, "structure", Reason.TOO_DEEP),
    "deep objects": (lambda: b'{"a":' * 150_000, "structure", Reason.TOO_DEEP),
    "self-containing": (loop, "structure", Reason.TOO_DEEP),
    "huge": (lambda: b'{"a":"' + b"x" * 10_000_000 + b'"}', "structure", Reason.TOO_LARGE),
    "huge number": (lambda: b'{"a":' + b"9" * 500_000 + b"}", "structure", Reason.NOT_JSON),
    "nul": (lambda: b'{"a":"\\u0000"}', "structure", Reason.NOT_TEXT),
    "raw nul": (lambda: b'{"a":"\x00"}', "structure", Reason.NOT_JSON),
    "utf-16": (lambda: json.dumps(credential()).encode("utf-16"), "structure", Reason.NOT_JSON),
    "more values": (lambda: tagged(5_000), "structure", Reason.TOO_COMPLEX),
    "values": (lambda: tagged(1_080), "proof", Reason.PROOF_BROKEN),
    "objects": (
        lambda: evidenced([{"type": "Evidence", "image": image(n)} for n in range(130)]),
        "proof",
        Reason.PROOF_BROKEN,
    ),
    "twins": (lambda: parents(twins(4)), "context", Reason.TOO_COMPLEX),
    "deep": (
        lambda: parents(reduce(nest, range(26), {"type": "Profile"})),
        "proof",
        Reason.PROOF_BROKEN,
    ),
    "nested context": (
        lambda: parents({"@context": "https://evil.example/", "type": "Profile"}),
        "context",
        Reason.CONTENT_UNPROTECTED,
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_are_invalid_and_answered_quickly(name: str) -> None:
    make, step, reason = HOSTILE[name]
    source = make()
    started = process_time()
    verification = verified(source, resolve_status=never)
    assert process_time() - started < allowed(2)
    assert verification.state is State.INVALID
    assert reasons(verification)[step] is reason


def test_repeated_contexts_are_not_processed() -> None:
    document = {**credential(), "@context": [CREDENTIALS_V2, OPEN_BADGES_V3] * 400}
    assert reasons(verified(document, resolve_key=never))["context"] is Reason.CONTEXT_UNKNOWN


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "type",
                    "name",
                    "@id",
                    "@type",
                    "@value",
                    "@graph",
                    "@list",
                    "issuer",
                    "image",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@patient
@given(st.dictionaries(st.sampled_from([*credential(), "@graph", "jti", "x"]), json_values))
def test_any_document_gets_an_answer(members: dict[str, Any]) -> None:
    for document in (members, {**credential(), **members}):
        verification = verified(document)
        assert len(verification.steps) == len(STEP_NAMES)
        assert (verification.state is State.VALID) == (document == credential())


@patient
@given(
    st.lists(st.sampled_from(["credentialSubject", "achievement", "evidence", "proof", "issuer"])),
    st.sampled_from(["id", "type", "name", "image", "credentialStatus", "validFrom", "x"]),
    json_values,
)
def test_any_planted_value_gets_an_answer(path: list[str], name: str, value: Any) -> None:
    document = copy.deepcopy(credential())
    holder: Any = document
    for step in path:
        holder = holder.get(step, holder) if isinstance(holder, dict) else holder
    if not isinstance(holder, dict) or holder.get(name) == value:
        return
    holder[name] = value
    assert verified(document, resolve_status=never).state is not State.VALID


@patient
@given(st.binary(max_size=40) | st.text(max_size=40))
def test_any_bytes_get_an_answer(source: bytes | str) -> None:
    assert verified(source).state is State.INVALID
