"""Data Integrity proofs of the cryptosuite eddsa-rdfc-2022.

W3C Data Integrity EdDSA Cryptosuites v1.0, section 3.2: SHA-256 of the
canonical proof options, then SHA-256 of the canonical document, signed with
Ed25519, as base58btc in `proofValue`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from apps.credentials.canonical import canonical_nquads, expand, is_absolute_iri, nquads_of
from apps.credentials.contexts import Contexts, pinned
from apps.credentials.coverage import require_covered, require_unambiguous
from apps.credentials.documents import read_document
from apps.credentials.multikey import MultibaseInvalid, decode_base58btc, encode_base58btc
from apps.credentials.rdfc import Budget
from apps.credentials.timestamps import format_timestamp

PROOF_TYPE: Final = "DataIntegrityProof"
CRYPTOSUITE: Final = "eddsa-rdfc-2022"
ASSERTION: Final = "assertionMethod"


class ProofRefused(ValueError):
    """The proof does not show that the key's owner signed this document."""


class ProofUnsupported(ProofRefused):
    """The proof may be good, but it is of a kind that is not read here."""


def sign(
    document: Mapping[str, Any],
    *,
    private_key: Ed25519PrivateKey,
    verification_method: str,
    created: datetime,
    proof_purpose: str = ASSERTION,
    contexts: Contexts | None = None,
) -> dict[str, Any]:
    """Return a copy of the document with its proof.

    Raises DocumentRefused, UnknownContext, NotLinkedData, NotCovered or
    TooComplex when some member could not be protected by the signature, and
    ValueError when the document already has a proof.
    """
    known = contexts or pinned()
    secured = read_document(document)
    if "proof" in secured:
        raise ValueError("the document already has a proof")
    if not is_absolute_iri(verification_method):
        raise ValueError("the verification method must be an absolute address")
    require_unambiguous(secured, issuing=True)
    expanded = expand(secured, contexts=known)
    require_covered(secured, expanded, contexts=known)
    proof = {
        "type": PROOF_TYPE,
        "cryptosuite": CRYPTOSUITE,
        "created": format_timestamp(created),
        "verificationMethod": verification_method,
        "proofPurpose": proof_purpose,
    }
    configuration = canonical_nquads(_configuration(secured, proof), contexts=known)
    signature = private_key.sign(hash_data(configuration, nquads_of(expanded)))
    return {**secured, "proof": {**proof, "proofValue": encode_base58btc(signature)}}


def verify(
    document: Mapping[str, Any], *, public_key: Ed25519PublicKey, contexts: Contexts | None = None
) -> None:
    """Return silently when the document's proof holds for the key.

    Raises ProofRefused when it does not; UnknownContext, NotLinkedData,
    NotCovered or TooComplex when the document cannot be read as signed data.
    Whose key it is, and whether it may sign, is the caller's question.
    """
    known = contexts or pinned()
    proof = proof_of(document)
    check_signature(proof, signed_hash(document, proof, contexts=known), public_key=public_key)


def signed_hash(
    document: Mapping[str, Any], proof: Mapping[str, Any] | None, *, contexts: Contexts
) -> bytes:
    """Return what the proof's signature must cover; without a proof, only check the document.

    Raises UnknownContext, NotLinkedData, NotCovered or TooComplex.
    """
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    budget = Budget()
    parts = []
    for part in (_configuration(unsecured, proof or {}), unsecured):
        contexts.require(part)
        require_unambiguous(part)
        expanded = expand(part, contexts=contexts)
        require_covered(part, expanded, contexts=contexts)
        parts.append(nquads_of(expanded, budget=budget))
    return hash_data(parts[0], parts[1])


def check_signature(
    proof: Mapping[str, Any], signed: bytes, *, public_key: Ed25519PublicKey
) -> None:
    """Raise ProofRefused unless `proofValue` is the key's signature of `signed`."""
    try:
        public_key.verify(_signature(proof), signed)
    except InvalidSignature:
        raise ProofRefused("the signature does not match the content") from None


def proof_of(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the document's only proof.

    Raises ProofRefused without one, ProofUnsupported for another kind, and for
    several: a proof says nothing about the proofs beside it.
    """
    proof = document.get("proof")
    if isinstance(proof, list) and proof:
        if len(proof) > 1:
            raise ProofUnsupported("the document has several proofs")
        proof = proof[0]
    if not isinstance(proof, Mapping):
        raise ProofRefused("the document has no proof")
    if proof.get("type") != PROOF_TYPE or proof.get("cryptosuite") != CRYPTOSUITE:
        raise ProofUnsupported(f"the proof is not a {PROOF_TYPE} with {CRYPTOSUITE}")
    if "@context" in proof or "previousProof" in proof:
        raise ProofUnsupported("proofs with a context or a predecessor are not read")
    if proof.get("proofPurpose") != ASSERTION:
        raise ProofRefused("the proof was not made to assert the content")
    return proof


def hash_data(canonical_configuration: str, canonical_document: str) -> bytes:
    """Return the 64 bytes that are signed (section 3.2.4)."""
    parts = (canonical_configuration, canonical_document)
    return b"".join(hashlib.sha256(part.encode()).digest() for part in parts)


def _configuration(document: Mapping[str, Any], proof: Mapping[str, Any]) -> dict[str, Any]:
    """Return the proof options in the context of the document (section 3.2.5)."""
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    return {"@context": document.get("@context"), **options}


def _signature(proof: Mapping[str, Any]) -> bytes:
    value = proof.get("proofValue")
    if not isinstance(value, str):
        raise ProofRefused("the proof has no proofValue")
    try:
        signature = decode_base58btc(value)
    except MultibaseInvalid as error:
        raise ProofRefused(f"proofValue: {error}") from None
    if len(signature) != 64:
        raise ProofRefused("the signature is not 64 bytes")
    return signature
