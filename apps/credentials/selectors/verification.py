"""Verifying with what is at hand here: our own keys, lists and records. No network."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from apps.credentials.content import SignedContent, signed_content
from apps.credentials.credentialstatus import StatusResolver, StatusUnreachable
from apps.credentials.findings import Finding, State, Step, run_step
from apps.credentials.models import CertificationAward, CredentialDocument
from apps.credentials.openbadges import evidence_id
from apps.credentials.reasons import Reason
from apps.credentials.selectors.issuers import Issuer, issuer, issuer_then, issuers, key_resolver
from apps.credentials.selectors.statuslists import status_list
from apps.credentials.verification import Verification, verify_credential
from apps.credentials.vocabulary import AwardState
from apps.requirements.facts import facts_hash

_LIST_ADDRESS = re.compile(
    r"(?P<home>.+)/credentials/status/(?P<purpose>[a-z]+)/(?P<number>\d{1,9})"
)
_ANCHOR: Final = "anchor"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What every step found about a credential, what it states, and our award behind it if any.

    `document` is the credential as read; believe it only as far as `state` goes.
    """

    steps: tuple[Step, ...]
    content: SignedContent
    document: Mapping[str, Any] | None
    award_id: UUID | None

    @property
    def state(self) -> State:
        """Invalid if any step is, else unknown if any step is but the anchor, else valid.

        Where the evidence of other issuers lies cannot be known here, and need not be.
        """
        states = {step.state for step in self.steps}
        if State.INVALID in states:
            return State.INVALID
        checked = {step.state for step in self.steps if step.name != _ANCHOR}
        return State.UNKNOWN if State.UNKNOWN in checked else State.VALID


@dataclass(frozen=True, slots=True)
class CredentialPage:
    """What the public page about one award shows: the signed content, and what each step found.

    `award_state` is how the award stands on record; `source` the signed document, indented.
    """

    award_id: UUID
    verdict: Verdict
    award_state: str
    credential_url: str
    verify_url: str
    page_url: str
    source: str
    checked_at: datetime

    @property
    def content(self) -> SignedContent:
        return self.verdict.content


def verify_award(award_id: UUID, *, at: datetime) -> Verdict | None:
    """Return the verdict on the stored credential of an award of ours, None if there is none."""
    document = CredentialDocument.objects.filter(award=award_id).order_by("id").first()
    return None if document is None else verify_source(bytes(document.content), at=at)


def verify_source(source: bytes | Mapping[str, Any], *, at: datetime) -> Verdict:
    """Return the verdict on any credential, ours or foreign. Hostile ones end in a verdict too."""
    own = issuers()
    verification = verify_credential(
        source, resolve_key=key_resolver(), resolve_status=_own_lists(own, at), now=at
    )
    document = verification.document
    award = _award_behind(document, own, at)
    steps = [*map(_with_suspension(award), verification.steps), _anchor(verification, award)]
    return Verdict(
        steps=tuple(steps),
        content=signed_content(document or {}),
        document=document,
        award_id=award.id if award else None,
    )


def credential_page(award_id: UUID, *, at: datetime) -> CredentialPage | None:
    """Return everything the public page of an award shows, None if there is no such award."""
    award = CertificationAward.objects.with_state(at).filter(pk=award_id).first()
    verdict = verify_award(award_id, at=at)
    if award is None or verdict is None:
        return None
    own = issuer()
    return CredentialPage(
        award_id=award_id,
        verdict=verdict,
        award_state=award.state,
        credential_url=own.credential_url(award_id),
        verify_url=f"{own.credential_url(award_id)}/verify",
        page_url=own.page_url(award_id),
        source=json.dumps(verdict.document, ensure_ascii=False, indent=2),
        checked_at=at,
    )


def _own_lists(own: list[Issuer], at: datetime) -> StatusResolver:
    def resolve(url: str) -> bytes:
        match = _LIST_ADDRESS.fullmatch(url)
        then = issuer_then(match["home"], own) if match is not None else None
        found = None
        if match is not None and then is not None:
            found = status_list(then, match["purpose"], int(match["number"]), at=at)
        if found is None:
            raise StatusUnreachable(f"{url[:200]} is not a list of this organisation")
        return found.content

    return resolve


def _award_behind(
    document: Mapping[str, Any] | None, own: list[Issuer], at: datetime
) -> CertificationAward | None:
    """Return our award that the document claims to be the credential of."""
    claimed = document.get("id") if document else None
    if not isinstance(claimed, str):
        return None
    try:
        award_id = UUID(claimed.rpartition("/")[2])
    except ValueError:
        return None
    then = issuer_then(claimed.partition("/v1/")[0], own)
    if then is None or claimed != then.credential_url(award_id):
        return None
    awards = CertificationAward.objects.with_state(at).select_related("evaluation")
    found: CertificationAward | None = awards.filter(pk=award_id).first()
    return found


def _with_suspension(award: CertificationAward | None) -> Callable[[Step], Step]:
    """Return how to see a suspension, which the revocation list does not show."""

    def seen(step: Step) -> Step:
        is_passed = step.name == "status" and step.state is State.VALID
        if is_passed and award is not None and award.state == AwardState.SUSPENDED:
            return Step(step.name, State.INVALID, Reason.SUSPENDED, "on record with the issuer")
        return step

    return seen


def _anchor(verification: Verification, award: CertificationAward | None) -> Step:
    """Return whether the decision that the credential names by its digest is on record."""
    proof = next(step for step in verification.steps if step.name == "proof")

    def check() -> Reason:
        if proof.state is not State.VALID or verification.document is None:
            raise Finding(State.UNKNOWN, Reason.NOT_CHECKED)
        if award is None:
            raise Finding(State.UNKNOWN, Reason.ANCHOR_ELSEWHERE)
        named = signed_content(verification.document).evidence_ids
        if not is_on_record(award) or evidence_id(award.facts_hash) not in named:
            raise Finding(State.INVALID, Reason.ANCHOR_BROKEN, f"award {award.id}")
        return Reason.ANCHOR_CONFIRMED

    return run_step(_ANCHOR, check)


def is_on_record(award: CertificationAward) -> bool:
    """Whether the facts of the award and of its evaluation have the digests that are stored."""
    evaluation = award.evaluation
    return (
        facts_hash(award.facts) == award.facts_hash
        and award.facts.get("evaluation") == str(evaluation.id)
        and award.facts.get("evaluation_hash") == evaluation.facts_hash
        and facts_hash(evaluation.facts) == evaluation.facts_hash
    )
