"""The checks of any signed document: its content, signature, issuer and period."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from apps.credentials.canonical import NotLinkedData
from apps.credentials.contexts import Contexts, UnknownContext
from apps.credentials.coverage import NotCovered
from apps.credentials.dataintegrity import (
    ProofRefused,
    ProofUnsupported,
    check_signature,
    proof_of,
    signed_hash,
)
from apps.credentials.did import KeyNotPublished, KeyResolver, KeyUnreachable, VerificationKey
from apps.credentials.findings import Finding, State, Step, run_step
from apps.credentials.rdfc import TooComplex
from apps.credentials.reasons import Reason
from apps.credentials.timestamps import TimestampInvalid, parse_timestamp

# Clocks of honest machines differ by seconds.
CLOCK_SKEW: Final = timedelta(seconds=60)


def check_validity(document: Mapping[str, Any], *, now: datetime) -> Reason:
    """Compare `validFrom` (less the clock skew) and `validUntil` with now."""
    try:
        if "validFrom" in document:
            starts = parse_timestamp(document["validFrom"])
            if starts - CLOCK_SKEW > now:
                raise Finding(State.INVALID, Reason.NOT_YET_VALID, f"valid from {starts}")
        if "validUntil" in document:
            ends = parse_timestamp(document["validUntil"])
            if ends < now:
                raise Finding(State.INVALID, Reason.EXPIRED, f"valid until {ends}")
    except (TimestampInvalid, OverflowError) as error:
        raise Finding(State.INVALID, Reason.PERIOD_MALFORMED, error) from None
    return Reason.IN_FORCE


def issuer_of(document: Mapping[str, Any]) -> str | None:
    """Return the issuer's identifier, whichever way it is written."""
    issuer = document.get("issuer")
    id_ = issuer.get("id") if isinstance(issuer, Mapping) else issuer
    return id_ if isinstance(id_, str) else None


class SecuredDocument:
    """The checks of a signed document that build on each other.

    Used for the credential and for the status lists it names. The key is only
    asked for when the document is readable and the key would be the issuer's:
    a forged document makes nobody fetch anything.
    """

    def __init__(
        self,
        document: Mapping[str, Any],
        *,
        resolve_key: KeyResolver,
        now: datetime,
        contexts: Contexts,
    ) -> None:
        self.document = document
        self.now = now
        self._resolve_key = resolve_key
        self._contexts = contexts
        self._signed: bytes | None = None
        self._key: VerificationKey | None = None

    def steps(self) -> tuple[Step, Step, Step, Step]:
        """Return the steps context, proof, issuer and validity."""
        context = run_step("context", self._check_context)
        issuer = run_step("issuer", self._check_issuer)
        proof = run_step("proof", self._check_proof)
        validity = run_step("validity", lambda: check_validity(self.document, now=self.now))
        return context, proof, issuer, validity

    def _check_context(self) -> Reason:
        try:
            proof = proof_of(self.document)
        except ProofRefused:
            proof = None
        try:
            self._signed = signed_hash(self.document, proof, contexts=self._contexts)
        except UnknownContext as error:
            raise Finding(State.UNKNOWN, Reason.CONTEXT_UNKNOWN, error) from None
        except NotLinkedData as error:
            raise Finding(State.INVALID, Reason.CONTENT_MALFORMED, error) from None
        except NotCovered as error:
            raise Finding(State.INVALID, Reason.CONTENT_UNPROTECTED, error) from None
        except TooComplex as error:
            raise Finding(State.INVALID, Reason.TOO_COMPLEX, error) from None
        return Reason.CONTEXT_KNOWN

    def _check_issuer(self) -> Reason:
        issuer = issuer_of(self.document)
        try:
            method = proof_of(self.document).get("verificationMethod")
        except ProofRefused:
            raise Finding(State.UNKNOWN, Reason.NOT_CHECKED) from None
        if issuer is None or not isinstance(method, str) or method.partition("#")[0] != issuer:
            raise Finding(State.INVALID, Reason.ISSUER_MISMATCH, f"{method} is not of {issuer}")
        if self._signed is None:
            raise Finding(State.UNKNOWN, Reason.NOT_CHECKED)
        try:
            self._key = key = self._resolve_key(method)
        except KeyUnreachable as error:
            raise Finding(State.UNKNOWN, Reason.KEY_UNREACHABLE, error) from None
        except KeyNotPublished as error:
            raise Finding(State.INVALID, Reason.KEY_NOT_PUBLISHED, error) from None
        if key.id != method or key.controller != issuer:
            detail = f"{key.id} is controlled by {key.controller}"
            raise Finding(State.INVALID, Reason.ISSUER_MISMATCH, detail)
        if key.revoked_at is not None:
            raise Finding(State.INVALID, Reason.KEY_REVOKED, f"at {key.revoked_at}")
        if not key.may_assert:
            raise Finding(State.INVALID, Reason.KEY_NOT_FOR_CREDENTIALS, key.id)
        return Reason.ISSUER_CONFIRMED

    def _check_proof(self) -> Reason:
        try:
            proof = proof_of(self.document)
        except ProofUnsupported as error:
            raise Finding(State.UNKNOWN, Reason.PROOF_UNSUPPORTED, error) from None
        except ProofRefused as error:
            raise Finding(State.INVALID, Reason.PROOF_MISSING, error) from None
        if self._signed is None or self._key is None:
            raise Finding(State.UNKNOWN, Reason.NOT_CHECKED)
        try:
            check_signature(proof, self._signed, public_key=self._key.public_key)
            times = {n: parse_timestamp(proof[n]) for n in ("created", "expires") if n in proof}
        except (ProofRefused, TimestampInvalid) as error:
            raise Finding(State.INVALID, Reason.PROOF_BROKEN, error) from None
        if "expires" in times and times["expires"] < self.now:
            raise Finding(State.INVALID, Reason.PROOF_EXPIRED, f"at {times['expires']}")
        return Reason.PROOF_HOLDS
