"""Verifying a credential in steps that can be explained to anybody.

Each step is valid, invalid or unknown ("could not be checked"), with a stable
reason, its sentence for a person and a technical detail. Hostile documents end
in an invalid step, never in an exception; the network is the caller's ports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from apps.credentials.contexts import Contexts, pinned
from apps.credentials.credentialstatus import StatusChecker, StatusResolver
from apps.credentials.did import KeyResolver
from apps.credentials.documents import DocumentRefused, read_document
from apps.credentials.findings import Finding, State, Step, run_step
from apps.credentials.reasons import Reason
from apps.credentials.secured import SecuredDocument
from apps.credentials.structure import problems_of

STEP_NAMES: Final = ("structure", "context", "proof", "issuer", "validity", "status")


@dataclass(frozen=True, slots=True)
class Verification:
    """All steps, and the document as read: believe it only as far as `state` goes."""

    steps: tuple[Step, ...]
    document: Mapping[str, Any] | None = None

    @property
    def state(self) -> State:
        """Invalid if any step is, else unknown if any step is, else valid."""
        states = {step.state for step in self.steps}
        return next(s for s in (State.INVALID, State.UNKNOWN, State.VALID) if s in states)


def verify_credential(
    source: bytes | str | Mapping[str, Any],
    *,
    resolve_key: KeyResolver,
    resolve_status: StatusResolver,
    now: datetime,
    contexts: Contexts | None = None,
) -> Verification:
    """Return what each step found, in the order of STEP_NAMES.

    `resolve_key` returns the key at a verification method's address, or raises
    KeyUnreachable or KeyNotPublished. `resolve_status` returns the status list
    at an address, or raises StatusUnreachable; it is asked only after proof and
    issuer turned out valid. `now` needs a time zone.
    """
    try:
        document = read_document(source)
    except DocumentRefused as refusal:
        refused = Step(STEP_NAMES[0], State.INVALID, refusal.reason, str(refusal))
        return Verification(steps=(refused, *map(_not_checked, STEP_NAMES[1:])))
    known = contexts or pinned()
    secured = SecuredDocument(document, resolve_key=resolve_key, now=now, contexts=known)
    structure = run_step("structure", lambda: _check_structure(document))
    context, proof, issuer, validity = secured.steps()
    status = _not_checked("status")
    if {context.state, proof.state, issuer.state} == {State.VALID}:
        checker = StatusChecker(
            resolve_key=resolve_key, resolve_status=resolve_status, now=now, contexts=known
        )
        status = run_step("status", lambda: checker.check(document))
    return Verification((structure, context, proof, issuer, validity, status), document)


def _check_structure(document: Mapping[str, Any]) -> Reason:
    problems = problems_of(document)
    if problems:
        more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
        detail = "; ".join(problems[:5]) + more
        raise Finding(State.INVALID, Reason.STRUCTURE_INCOMPLETE, detail)
    return Reason.STRUCTURE_COMPLETE


def _not_checked(name: str) -> Step:
    return Step(name, State.UNKNOWN, Reason.NOT_CHECKED)
