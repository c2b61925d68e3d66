"""Was a credential revoked or suspended? Bitstring Status List v1.0, section 3.2.

A status list counts only when it is itself signed by the credential's issuer,
in force, and the list that was asked for; otherwise the status is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from apps.credentials.contexts import Contexts
from apps.credentials.did import KeyResolver
from apps.credentials.documents import DocumentRefused, read_document
from apps.credentials.findings import Finding, State
from apps.credentials.reasons import Reason
from apps.credentials.secured import SecuredDocument, issuer_of
from apps.credentials.statuslist import (
    REVOCATION,
    SUSPENSION,
    StatusListInvalid,
    decode,
    status_at,
)

MAX_ENTRIES: Final = 8
_ENTRY_TYPE: Final = "BitstringStatusListEntry"
_LIST_TYPE: Final = "BitstringStatusListCredential"
_INDEX = re.compile(r"[0-9]{1,9}")
_FINDING_OF: Final = {REVOCATION: Reason.REVOKED, SUSPENSION: Reason.SUSPENDED}

StatusResolver = Callable[[str], bytes | str | Mapping[str, Any]]


class StatusUnreachable(LookupError):
    """The status list could not be obtained now."""


class StatusChecker:
    """Reads a credential's status from the lists it names, each list once."""

    def __init__(
        self,
        *,
        resolve_key: KeyResolver,
        resolve_status: StatusResolver,
        now: datetime,
        contexts: Contexts,
    ) -> None:
        self._resolve_key = resolve_key
        self._resolve_status = resolve_status
        self._now = now
        self._contexts = contexts
        self._lists: dict[str, Mapping[str, Any]] = {}

    def check(self, credential: Mapping[str, Any]) -> Reason:
        """Return why the credential stands; raise the worst Finding of its entries."""
        entries = credential.get("credentialStatus")
        if entries is None:
            return Reason.STATUS_NONE
        findings = []
        listed = entries if isinstance(entries, list) else [entries]
        if len(listed) > MAX_ENTRIES:
            raise Finding(State.UNKNOWN, Reason.STATUS_UNSUPPORTED, f"{len(listed)} entries")
        for entry in listed:
            try:
                self._check_entry(entry, issuer=issuer_of(credential))
            except Finding as finding:
                findings.append(finding)
        if findings:
            raise min(findings, key=lambda finding: finding.state is not State.INVALID)
        return Reason.NOT_REVOKED

    def _check_entry(self, entry: Any, *, issuer: str | None) -> None:
        url, purpose, index = _place(entry)
        subject = self._list_subject(url, issuer=issuer)
        if purpose not in _texts(subject.get("statusPurpose")):
            detail = f"the list at {url} is not about {purpose}"
            raise Finding(State.UNKNOWN, Reason.STATUS_LIST_UNTRUSTED, detail)
        try:
            status = status_at(decode(str(subject.get("encodedList"))), index)
        except StatusListInvalid as error:
            raise Finding(State.UNKNOWN, Reason.STATUS_LIST_UNTRUSTED, error) from None
        if status and purpose in _FINDING_OF:
            raise Finding(State.INVALID, _FINDING_OF[purpose], f"entry {index} of {url}")

    def _list_subject(self, url: str, *, issuer: str | None) -> Mapping[str, Any]:
        document = self._lists.get(url) or self._fetch(url)
        if document.get("id") != url or _LIST_TYPE not in _texts(document.get("type")):
            detail = f"what is at {url} is not that status list"
            raise Finding(State.UNKNOWN, Reason.STATUS_LIST_UNTRUSTED, detail)
        if issuer_of(document) != issuer:
            detail = f"the list at {url} is by {issuer_of(document)}"
            raise Finding(State.UNKNOWN, Reason.STATUS_LIST_UNTRUSTED, detail)
        secured = SecuredDocument(
            document, resolve_key=self._resolve_key, now=self._now, contexts=self._contexts
        )
        *signed, validity = secured.steps()
        for step in signed:
            if step.state is not State.VALID:
                detail = f"{step.name} of {url}: {step.reason} {step.detail}"
                raise Finding(State.UNKNOWN, Reason.STATUS_LIST_UNTRUSTED, detail)
        if validity.state is not State.VALID:
            raise Finding(State.UNKNOWN, Reason.STATUS_LIST_STALE, f"{url}: {validity.detail}")
        subject = document.get("credentialSubject")
        return subject if isinstance(subject, Mapping) else {}

    def _fetch(self, url: str) -> Mapping[str, Any]:
        try:
            document = read_document(self._resolve_status(url))
        except StatusUnreachable as error:
            raise Finding(State.UNKNOWN, Reason.STATUS_UNREACHABLE, error) from None
        except DocumentRefused as error:
            raise Finding(State.UNKNOWN, Reason.STATUS_LIST_UNTRUSTED, error) from None
        self._lists[url] = document
        return document


def _place(entry: Any) -> tuple[str, str, int]:
    """Return an entry's list, purpose and index; raise Finding when it is of another kind."""
    if not isinstance(entry, Mapping) or _ENTRY_TYPE not in _texts(entry.get("type")):
        raise Finding(State.UNKNOWN, Reason.STATUS_UNSUPPORTED, f"not a {_ENTRY_TYPE}")
    url, purpose = entry.get("statusListCredential"), entry.get("statusPurpose")
    index = entry.get("statusListIndex")
    if not (isinstance(url, str) and isinstance(purpose, str) and isinstance(index, str)):
        raise Finding(State.UNKNOWN, Reason.STATUS_UNSUPPORTED, "the entry is incomplete")
    if not _INDEX.fullmatch(index) or entry.get("statusSize", 1) != 1:
        raise Finding(State.UNKNOWN, Reason.STATUS_UNSUPPORTED, "not one bit at a numbered place")
    return url, purpose, int(index)


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, str)]
