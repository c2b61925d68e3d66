"""Standard Webhooks: what the reference library signs is accepted, nothing else is."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from apps.commerce.signatures import (
    TOLERANCE,
    SignatureExpired,
    SignatureInvalid,
    SignatureMissing,
    SignedMessage,
    key_of,
    new_secret,
    read_headers,
    sign,
    signer_of,
)

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = new_secret()


def message(
    body: bytes = b'{"type":"order.paid"}',
    *,
    secret: str = SECRET,
    at: datetime = AT,
    signature: str = "",
) -> SignedMessage:
    return read_headers(
        webhook_id="msg_1",
        timestamp=str(int(at.timestamp())),
        signature=signature or Webhook(secret).sign("msg_1", at, body.decode()),
        body=body,
    )


def test_what_the_reference_library_signs_is_recognised() -> None:
    keys = [("other", key_of(OTHER)), ("own", key_of(SECRET))]

    assert signer_of(message(), keys, at=AT) == "own"
    assert signer_of(message(secret=OTHER), keys, at=AT) == "other"


def test_what_we_sign_the_reference_library_verifies() -> None:
    at = datetime.now(tz=UTC)
    timestamp = str(int(at.timestamp()))
    ours = sign(key=key_of(OTHER), webhook_id="msg_1", timestamp=timestamp, body=b'{"a": 1}')
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(ours).decode()}",
    }

    assert Webhook(OTHER).verify('{"a": 1}', headers) == {"a": 1}


def test_one_good_signature_of_several_is_enough() -> None:
    good = message().signatures[0]
    several = f"v1a,zzz v1,{base64.b64encode(b'x' * 32).decode()} v1,{_text(good)} v1,not-base64"

    assert signer_of(message(signature=several), [("own", key_of(SECRET))], at=AT) == "own"


def test_the_last_second_of_the_tolerance_counts() -> None:
    keys = [("own", key_of(SECRET))]

    for late in (-TOLERANCE, TOLERANCE):
        assert signer_of(message(), keys, at=AT + late) == "own"
    for late in (-TOLERANCE, TOLERANCE):
        beyond = late + timedelta(seconds=1 if late > timedelta(0) else -1)
        with pytest.raises(SignatureExpired):
            signer_of(message(), keys, at=AT + beyond)


def test_an_old_message_of_a_stranger_is_invalid_not_expired() -> None:
    with pytest.raises(SignatureInvalid):
        signer_of(message(secret=OTHER), [("own", key_of(SECRET))], at=AT + timedelta(days=1))


@pytest.mark.parametrize(
    "signature", ["v1,", "v1,!!!!", "v2,aaaa", "aaaa", "v1", " ", "v1,AAAA v1,BBBB"]
)
def test_nothing_but_a_good_signature_is_recognised(signature: str) -> None:
    with pytest.raises(SignatureInvalid):
        signer_of(message(signature=signature), [("own", key_of(SECRET))], at=AT)


def test_without_keys_nobody_is_recognised() -> None:
    with pytest.raises(SignatureInvalid):
        signer_of(message(), [], at=AT)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_another_body_is_not_what_was_signed(signed: bytes, sent: bytes) -> None:
    key = key_of(SECRET)
    timestamp = str(int(AT.timestamp()))
    signature = sign(key=key, webhook_id="m", timestamp=timestamp, body=signed)
    told = SignedMessage("m", timestamp, (signature,), sent, AT)

    if signed == sent:
        assert signer_of(told, [("own", key)], at=AT) == "own"
    else:
        with pytest.raises(SignatureInvalid):
            signer_of(told, [("own", key)], at=AT)


@pytest.mark.parametrize("changed", ["webhook_id", "timestamp"])
def test_id_and_timestamp_are_signed_too(changed: str) -> None:
    good = message()
    fields = {
        "webhook_id": good.webhook_id,
        "timestamp": good.timestamp,
        "signatures": good.signatures,
        "body": good.body,
        "sent_at": good.sent_at,
    }
    fields[changed] = fields[changed] + "1"  # type: ignore[operator]

    with pytest.raises(SignatureInvalid):
        signer_of(SignedMessage(**fields), [("own", key_of(SECRET))], at=AT)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("webhook_id", "timestamp", "signature"),
    [
        (None, "1", "v1,x"),
        ("", "1", "v1,x"),
        ("m", None, "v1,x"),
        ("m", "1", None),
        ("m", "1.5", "v1,x"),
        ("m", "-1", "v1,x"),
        ("m", "١٢٣", "v1,x"),
        ("m", "1" * 13, "v1,x"),
        ("m" * 256, "1", "v1,x"),
        ("m\x00", "1", "v1,x"),
    ],
)
def test_read_headers_refuses_what_is_no_webhook(
    webhook_id: str | None, timestamp: str | None, signature: str | None
) -> None:
    with pytest.raises(SignatureMissing):
        read_headers(webhook_id=webhook_id, timestamp=timestamp, signature=signature, body=b"")


def test_read_headers_reads_a_moment_beyond_all_calendars() -> None:
    far = read_headers(webhook_id="m", timestamp="9" * 12, signature="v1,x", body=b"")

    assert far.sent_at.year == 9999


def test_new_secret_is_of_256_random_bits() -> None:
    one, two = new_secret(), new_secret()

    assert one != two
    assert one.startswith("whsec_")
    assert len(key_of(one)) == 32


def _text(signature: bytes) -> str:
    return base64.b64encode(signature).decode()
