"""From bytes to text, without ever guessing silently."""

import re
from dataclasses import dataclass

from charset_normalizer import from_bytes

# What a caller may insist on, by the names that people know, and Python's names for them.
ENCODINGS = {
    "utf-8": "utf-8-sig",
    "utf-16": "utf-16",
    "windows-1250": "cp1250",
    "windows-1251": "cp1251",
    "windows-1252": "cp1252",
    "windows-1253": "cp1253",
    "windows-1254": "cp1254",
    "windows-1257": "cp1257",
    "iso-8859-2": "iso8859_2",
    "iso-8859-15": "iso8859_15",
    "koi8-r": "koi8_r",
    "mac-roman": "mac_roman",
    "shift-jis": "cp932",
    "gb18030": "gb18030",
    "big5": "cp950",
}
# What is tried for bytes that are not Unicode. A closed list keeps the detector quick and
# keeps it from naming an exotic relative that decodes the same bytes.
_DETECTED = {
    "cp1252": "windows-1252",
    "cp1250": "windows-1250",
    "cp1251": "windows-1251",
    "cp1253": "windows-1253",
    "cp1254": "windows-1254",
    "cp1257": "windows-1257",
    "koi8_r": "koi8-r",
}
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_SAMPLE_BYTES = 32_768
# charset-normalizer's measure of mess, 0..1. Measured: text of Western Europe read as
# windows-1252 stays below 0.35 even if it is all signs (“2 × 3 ± ½”); Cyrillic and Greek
# words read so are above 0.6.
_MESS = 0.5
# In Western European words letters beyond ASCII are scattered; Cyrillic and Greek words are
# made of nothing else. Asked first, because the detector takes signs like × for letters.
_FOREIGN_WORD = re.compile(rb"[\x80-\xff]{3}")


class UndecodableTextError(Exception):
    """The bytes are not text in any encoding that is supported."""


@dataclass(frozen=True, slots=True)
class DecodedText:
    """The text without its byte order mark, and the encoding it was read in.

    `guessed` is False where the caller, a byte order mark or valid UTF-8 settles it.
    """

    text: str
    encoding: str
    guessed: bool


def decode_text(data: bytes, *, encoding: str | None = None) -> DecodedText:
    """Return the text of `data` in `encoding`, one of ENCODINGS, or in what is detected.

    Unicode wins where the bytes allow it. Of the legacy encodings, windows-1252 is by far
    the commonest and short texts fit several, so it wins unless the text is senseless in it.
    Raises UndecodableTextError. Work is linear: the detector sees a bounded sample.
    """
    if encoding is not None:
        if encoding not in ENCODINGS:
            raise UndecodableTextError(f"{encoding} is not a supported encoding")
        return _decode(data, codec=ENCODINGS[encoding], encoding=encoding, guessed=False)
    for mark, codec in _BOMS:
        if data.startswith(mark):
            return _decode(data[len(mark) :], codec=codec, encoding=codec, guessed=False)
    wide = _wide_encoding(data)
    if wide is not None:
        return _decode(data, codec=wide, encoding=wide, guessed=True)
    try:
        return DecodedText(text=data.decode("utf-8"), encoding="utf-8", guessed=False)
    except UnicodeDecodeError as error:
        codec = _legacy_codec(data, at=error.start)
    return _decode(data, codec=codec, encoding=_DETECTED[codec], guessed=True)


def _decode(data: bytes, *, codec: str, encoding: str, guessed: bool) -> DecodedText:
    try:
        return DecodedText(text=data.decode(codec), encoding=encoding, guessed=guessed)
    except UnicodeDecodeError as error:
        raise UndecodableTextError(f"byte {error.start + 1} is not valid {encoding}") from error


def _wide_encoding(data: bytes) -> str | None:
    # UTF-16 without a mark is also valid UTF-8 while it is ASCII: every other byte is zero.
    sample = data[:4096]
    half = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if half >= 4 and odd > 0.6 * half and even == 0:
        return "utf-16-le"
    if half >= 4 and even > 0.6 * half and odd == 0:
        return "utf-16-be"
    return None


def _legacy_codec(data: bytes, *, at: int) -> str:
    start = max(0, at - _SAMPLE_BYTES // 2)
    sample = data[start : start + _SAMPLE_BYTES]
    western = _decodes(data, codec="cp1252")
    if western and not _FOREIGN_WORD.search(sample):
        return "cp1252"
    matches = from_bytes(
        sample, cp_isolation=list(_DETECTED), enable_fallback=False, threshold=_MESS
    )
    if western and any("cp1252" in match.could_be_from_charset for match in matches):
        return "cp1252"
    for match in matches:
        if _decodes(data, codec=match.encoding):
            return match.encoding
    raise UndecodableTextError("the bytes fit no encoding that is supported")


def _decodes(data: bytes, *, codec: str) -> bool:
    try:
        data.decode(codec)
    except UnicodeDecodeError:
        return False
    return True
