import pytest

from apps.core.encoding import (
    ENCODINGS,
    DecodedText,
    UndecodableTextError,
    decode_text,
)

WESTERN = "José Pérez, Åsa Öberg: „Größe“ – naïf, 5 €"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", DecodedText("", "utf-8", guessed=False)),
        (b"plain", DecodedText("plain", "utf-8", guessed=False)),
        (WESTERN.encode(), DecodedText(WESTERN, "utf-8", guessed=False)),
        (WESTERN.encode("utf-8-sig"), DecodedText(WESTERN, "utf-8", guessed=False)),
        (
            b"\xff\xfe" + WESTERN.encode("utf-16-le"),
            DecodedText(WESTERN, "utf-16-le", guessed=False),
        ),
        (
            b"\xfe\xff" + WESTERN.encode("utf-16-be"),
            DecodedText(WESTERN, "utf-16-be", guessed=False),
        ),
        (
            b"\xff\xfe\0\0" + WESTERN.encode("utf-32-le"),
            DecodedText(WESTERN, "utf-32-le", guessed=False),
        ),
        ("name,mail".encode("utf-16-le"), DecodedText("name,mail", "utf-16-le", guessed=True)),
        ("name,mail".encode("utf-16-be"), DecodedText("name,mail", "utf-16-be", guessed=True)),
        (WESTERN.encode("cp1252"), DecodedText(WESTERN, "windows-1252", guessed=True)),
        (
            "Q{#2 × 3 ± ½}".encode("cp1252"),
            DecodedText("Q{#2 × 3 ± ½}", "windows-1252", guessed=True),
        ),
        ("Ťažký".encode("cp1250"), DecodedText("Ťažký", "windows-1250", guessed=True)),
        (
            "Кто похоронен в могиле?".encode("cp1251"),
            DecodedText("Кто похоронен в могиле?", "windows-1251", guessed=True),
        ),
    ],
)
def test_decode_text_detects_the_encoding(data: bytes, expected: DecodedText) -> None:
    assert decode_text(data) == expected


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_decode_text_obeys_the_caller(encoding: str) -> None:
    data = "plain".encode(ENCODINGS[encoding])

    assert decode_text(data, encoding=encoding) == DecodedText("plain", encoding, guessed=False)


@pytest.mark.parametrize(
    ("data", "encoding", "message"),
    [
        (b"a\xff", "utf-8", "byte 2 is not valid utf-8"),
        (b"a", "utf-7", "utf-7 is not a supported encoding"),
        (b"\xff\xfea", None, "byte 1 is not valid utf-16-le"),
        (b"\x81\x8d\x8f\x90\x9d" * 9, None, "the bytes fit no encoding that is supported"),
    ],
)
def test_decode_text_refuses_what_is_no_text(
    data: bytes, encoding: str | None, message: str
) -> None:
    with pytest.raises(UndecodableTextError) as caught:
        decode_text(data, encoding=encoding)

    assert str(caught.value) == message
