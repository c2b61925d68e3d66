"""What a verification can find: stable codes, each with its sentence for people."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """A code that clients may rely on; its `sentence` may be reworded or translated."""

    sentence: str

    def __new__(cls, code: str, sentence: str) -> Reason:
        member = str.__new__(cls, code)
        member._value_ = code
        member.sentence = sentence
        return member

    NOT_CHECKED = "not-checked", "This was not checked, because an earlier check did not succeed."

    STRUCTURE_COMPLETE = "structure-complete", "All parts of the credential are there."
    STRUCTURE_INCOMPLETE = (
        "structure-incomplete",
        "Necessary parts of the credential are missing or malformed.",
    )
    NOT_JSON = "not-json", "This is not a credential document: it cannot be read as JSON."
    NOT_AN_OBJECT = "not-an-object", "This is not a credential document."
    NOT_TEXT = "not-text", "The document contains characters that do not belong in a text."
    BAD_NUMBER = "bad-number", "The document contains a number that not everybody reads alike."
    TOO_LARGE = "too-large", "The document is too large to be a credential."
    TOO_DEEP = "too-deep", "The document is nested too deeply to be a credential."
    TOO_COMPLEX = "too-complex", "The document is built in a way that cannot be checked."

    CONTEXT_KNOWN = "context-known", "Every part of the content has a published, fixed meaning."
    CONTEXT_UNKNOWN = (
        "context-unknown",
        "The credential uses a vocabulary that is not known here, so it could not be checked.",
    )
    CONTENT_MALFORMED = "content-malformed", "The content of the credential has no clear meaning."
    CONTENT_UNPROTECTED = (
        "content-unprotected",
        "The document contains statements that the signature does not protect.",
    )

    PROOF_HOLDS = "proof-holds", "The content is exactly what was signed."
    PROOF_MISSING = "proof-missing", "The credential is not signed."
    PROOF_UNSUPPORTED = (
        "proof-unsupported",
        "The credential is signed in a way that cannot be checked here.",
    )
    PROOF_BROKEN = "proof-broken", "The content was changed, or the signature is not genuine."
    PROOF_EXPIRED = "proof-expired", "The signature was limited in time and has expired."

    ISSUER_CONFIRMED = "issuer-confirmed", "The signing key belongs to the named issuer."
    ISSUER_MISMATCH = "issuer-mismatch", "It was signed by somebody other than the named issuer."
    KEY_UNREACHABLE = "key-unreachable", "The issuer's published keys could not be reached."
    KEY_NOT_PUBLISHED = "key-not-published", "The issuer does not publish the signing key."
    KEY_NOT_FOR_CREDENTIALS = (
        "key-not-for-credentials",
        "The issuer has not approved this key for signing credentials.",
    )
    KEY_REVOKED = "key-revoked", "The issuer has withdrawn the signing key."

    IN_FORCE = "in-force", "The credential is within its period of validity."
    EXPIRED = "expired", "The credential has expired."
    NOT_YET_VALID = "not-yet-valid", "The credential is not valid yet."
    PERIOD_MALFORMED = "period-malformed", "The period of validity is malformed."

    NOT_REVOKED = "not-revoked", "The issuer has not revoked the credential."
    STATUS_NONE = "status-none", "The issuer keeps no list of revoked credentials for this one."
    REVOKED = "revoked", "The issuer has revoked the credential."
    SUSPENDED = "suspended", "The issuer has suspended the credential for now."
    STATUS_UNREACHABLE = (
        "status-unreachable",
        "The issuer's list of revoked credentials could not be reached.",
    )
    STATUS_UNSUPPORTED = (
        "status-unsupported",
        "Whether the credential was revoked is recorded in a way that cannot be checked here.",
    )
    STATUS_LIST_UNTRUSTED = (
        "status-list-untrusted",
        "The issuer's list of revoked credentials could not be confirmed as genuine.",
    )
    STATUS_LIST_STALE = (
        "status-list-stale",
        "The issuer's list of revoked credentials is out of date.",
    )

    ANCHOR_CONFIRMED = (
        "anchor-confirmed",
        "The decision behind the credential is on record, unchanged.",
    )
    ANCHOR_BROKEN = (
        "anchor-broken",
        "The decision on record is not the one that the credential names.",
    )
    ANCHOR_ELSEWHERE = (
        "anchor-elsewhere",
        "The decision behind the credential is on record with its issuer, not here.",
    )
