"""Signing in and out, passwords, one's profile and API tokens."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail

from apps.accounts.models import User
from apps.contacts.models import AdminAction, ApiToken, Contact
from apps.core.clock import now
from apps.organizations.models import OrgRole
from tests.clients import api, browser
from tests.factories import PASSWORD, member
from tests.pages.factories import study

pytestmark = pytest.mark.django_db


def email_of(person: Contact) -> str:
    return User.objects.get(pk=person.user_id).email


def test_signing_in_and_out() -> None:
    ada = member()
    client = browser()

    signed_in = client.post("/accounts/login/", {"login": email_of(ada), "password": PASSWORD})
    inside = client.get("/account").status_code
    client.post("/accounts/logout/")

    assert signed_in["Location"] == "/"
    assert (inside, client.get("/account").status_code) == (200, 302)


def test_a_wrong_password_and_an_unknown_address_answer_alike() -> None:
    ada = member()
    pages = [
        browser().post("/accounts/login/", {"login": login, "password": "wrong"})
        for login in (email_of(ada), "nobody@example.org")
    ]

    complaints = [re.findall(r"<li>.*?</li>", page.content.decode()) for page in pages]
    assert complaints[0] == complaints[1] != []


def test_nobody_can_register() -> None:
    page = browser().get("/accounts/signup/").content.decode()

    assert "Joining is by invitation" in page


def test_a_forgotten_password_is_replaced_by_the_link_in_the_mail() -> None:
    ada = member()
    client = browser()

    client.post("/accounts/password/reset/", {"email": email_of(ada)})
    message = mail.outbox[0]
    link = re.search(r"http://a\.localhost\S*(/accounts/\S+)", message.body)
    assert link is not None
    form = client.get(link[1])["Location"]
    done = client.post(
        form, {"password1": "a new phrase to know", "password2": "a new phrase to know"}
    )

    assert message.to == [email_of(ada)]
    assert "Organisation A" in message.body
    assert done["Location"] == "/accounts/password/reset/key/done/"
    assert User.objects.get(pk=ada.user_id).check_password("a new phrase to know")


def test_a_used_link_is_refused_with_a_way_on() -> None:
    page = browser().get("/accounts/password/reset/key/1-abcdef-0123/").content.decode()

    assert "This link does not work any more" in page
    assert "/accounts/password/reset/" in page


def test_changing_the_password_asks_for_the_old_one() -> None:
    ada = member()
    client = browser(ada)
    fields = {"oldpassword": "wrong", "password1": "quite another one", "password2": ""}

    refused = client.post("/accounts/password/change/", fields)
    client.post(
        "/accounts/password/change/",
        {**fields, "oldpassword": PASSWORD, "password2": "quite another one"},
    )

    assert "There is a problem" in refused.content.decode()
    assert User.objects.get(pk=ada.user_id).check_password("quite another one")


def test_the_profile_is_saved_and_holds_at_once() -> None:
    own = study()
    client = browser(own.learner)

    client.post(
        "/account",
        {"display_name": "Ada King", "locale": "en", "timezone": "America/New_York"},
    )

    own.learner.refresh_from_db()
    assert (own.learner.display_name, own.learner.timezone) == ("Ada King", "America/New_York")
    assert client.get("/account")["Content-Language"] == "en"


@pytest.mark.parametrize(
    "fields",
    [
        {"display_name": "", "locale": "", "timezone": ""},
        {"display_name": "Ada", "locale": "tlh", "timezone": ""},
        {"display_name": "Ada", "locale": "", "timezone": "Mars/Olympus"},
        {"display_name": "A\x00da", "locale": "", "timezone": ""},
        {"display_name": "A" * 201, "locale": "", "timezone": ""},
    ],
)
def test_a_profile_that_cannot_be_is_refused(fields: dict[str, str]) -> None:
    ada = member(name="Ada")

    response = browser(ada).post("/account", fields)

    assert (response.status_code, "There is a problem" in response.content.decode()) == (200, True)
    ada.refresh_from_db()
    assert (ada.display_name, ada.timezone, ada.locale) == ("Ada", "", "")


def test_the_profile_form_cannot_write_other_columns() -> None:
    ada = member(name="Ada")

    browser(ada).post(
        "/account",
        {
            "display_name": "Ada",
            "locale": "",
            "timezone": "",
            "legal_name": "Countess",
            "user_id": "",
        },
    )

    ada.refresh_from_db()
    assert (ada.legal_name, ada.user_id is None) == ("", False)


def test_a_token_is_shown_once_and_works() -> None:
    ada = member()
    client = browser(ada)

    made = client.post("/account/tokens", {"name": "My script", "expires_on": ""})
    secret = re.search(r"assay_[\w-]+", made.content.decode())

    assert secret is not None
    assert secret[0] not in client.get("/account/tokens").content.decode()
    bearer = api()
    bearer.credentials(HTTP_AUTHORIZATION=f"Bearer {secret[0]}")
    assert bearer.get("/v1/me").json()["contact"] == str(ada.id)
    assert AdminAction.objects.filter(action="apitoken.created", actor=ada).count() == 1


def test_a_token_works_to_the_end_of_its_last_day_where_its_owner_is() -> None:
    ada = member(timezone="America/New_York")
    day = (now() + timedelta(days=3)).date()

    browser(ada).post("/account/tokens", {"name": "Script", "expires_on": day.isoformat()})

    ends = ApiToken.objects.get().expires_at
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    assert ends is not None
    assert ends - midnight in (timedelta(hours=4), timedelta(hours=5))


def test_a_token_for_a_day_that_is_over_is_refused() -> None:
    response = browser(member()).post(
        "/account/tokens", {"name": "Script", "expires_on": "2020-01-01"}
    )

    assert "This day is over." in response.content.decode()
    assert not ApiToken.objects.exists()


def test_staff_narrow_a_token_to_what_they_may_do_themselves() -> None:
    client = browser(member(OrgRole.AUDITOR))

    refused = client.post("/account/tokens", {"name": "a", "scopes": ["award"]})
    client.post("/account/tokens", {"name": "b", "scopes": ["audit_read"]})

    assert "There is a problem" in refused.content.decode()
    assert [token.scopes for token in ApiToken.objects.all()] == [["audit_read"]]


def test_a_revoked_token_ends_at_once() -> None:
    ada = member()
    bearer = api(ada)
    token = ApiToken.objects.get()

    response = browser(ada).post(f"/account/tokens/{token.id}/revoke")

    assert response["Location"] == "/account/tokens"
    assert bearer.get("/v1/me").status_code == 401
    assert AdminAction.objects.filter(action="apitoken.revoked", entity_id=token.id).count() == 1
