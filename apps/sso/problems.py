"""Why a sign-in through the identity provider was refused, in words for the person at the door."""

from __future__ import annotations

from apps.core.problems import Conflict, Forbidden, NotFound


class SignInRefused(Forbidden):
    """The base of what the sign-in page tells; `why` is for the log only, never for the page."""

    code = "sso-refused"
    title = "You could not be signed in through your organisation."

    def __init__(self, detail: str = "", *, why: str = "") -> None:
        super().__init__(detail)
        self.why = why


class SsoNotConfigured(NotFound):
    code = "sso-not-configured"
    title = "This organisation has no single sign-on."


class Cancelled(SignInRefused):
    code = "sso-cancelled"
    title = "The sign-in was cancelled at your organisation."


class ProviderUnreachable(SignInRefused):
    code = "sso-provider-unreachable"
    title = "Your organisation's identity provider did not answer. Try again in a minute."


class ProviderRefused(SignInRefused):
    code = "sso-provider-refused"
    title = "Your organisation's identity provider did not let you in."


class AnswerUnreadable(SignInRefused):
    code = "sso-answer-unreadable"
    title = "The answer of your organisation's identity provider is not well formed."


class NotSigned(SignInRefused):
    code = "sso-not-signed"
    title = "Your identity provider must sign both its message and the assertion in it."


class WrongSignature(SignInRefused):
    code = "sso-wrong-signature"
    title = "The signature on your identity provider's answer is not of a key that is known here."


class AssertionExpired(SignInRefused):
    code = "sso-expired"
    title = "The sign-in took too long, or the clocks differ: its proof is not valid at this time."


class WrongAudience(SignInRefused):
    code = "sso-wrong-audience"
    title = "Your identity provider's answer was meant for another service."


class WrongProvider(SignInRefused):
    code = "sso-wrong-provider"
    title = "The answer comes from another identity provider than this organisation's."


class NotAsked(SignInRefused):
    """Also what an identity provider starts by itself: nobody here asked for it."""

    code = "sso-not-asked"
    title = "This sign-in was not begun here, or it was begun too long ago. Start it on this page."


class AlreadyUsed(SignInRefused):
    code = "sso-already-used"
    title = "This proof of sign-in was used before."


class NoSubject(SignInRefused):
    code = "sso-no-subject"
    title = "Your identity provider does not say who you are in a way that lasts."


class NoEmail(SignInRefused):
    code = "sso-no-email"
    title = "Your identity provider did not tell your e-mail address."


class EmailNotVerified(SignInRefused):
    code = "sso-email-not-verified"
    title = "Your identity provider says that your e-mail address is not verified."


class UnknownDomain(SignInRefused):
    code = "sso-unknown-domain"
    title = "Your e-mail address is not of a domain that this organisation has verified."


class NotInvited(SignInRefused):
    code = "sso-not-invited"
    title = "You are not a member of this organisation yet. Ask for an invitation."


class MemberDeactivated(SignInRefused):
    code = "sso-member-deactivated"
    title = "Your membership of this organisation is deactivated."


class NoSeat(SignInRefused):
    code = "sso-no-seat"
    title = "This organisation has no place for another member. Ask whoever runs it."


class AccountDeactivated(SignInRefused):
    code = "sso-account-deactivated"
    title = "Your account is deactivated."


class IdentityTaken(SignInRefused):
    code = "sso-identity-taken"
    title = (
        "Your address belongs to another identity of your identity provider here. "
        "Ask an owner of this organisation to unlink it."
    )


class ContactTaken(SignInRefused):
    code = "sso-contact-taken"
    title = "Your address leads to a person here who signs in with another account."


class TestRefused(SignInRefused):
    code = "sso-test-refused"
    title = "The test was begun by somebody else, or you were signed out meanwhile."


class TestByAnother(Conflict):
    code = "sso-test-by-another"
    title = "The identity provider signed in somebody else: the test must be made as yourself."
