"""From bytes to text, without ever guessing silently."""

from dataclasses import dataclass

from charset_normalizer import from_bytes

# Legacy encodings that authors' files really come in. A closed list keeps the detector
# quick and keeps it from naming an exotic relative that decodes the same bytes.
_LEGACY = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "koi8_r", "mac_roman")
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_SAMPLE_BYTES = 32_768


class UndecodableTextError(Exception):
    """The bytes are not text in any encoding that is supported."""


@dataclass(frozen=True, slots=True)
class DecodedText:
    """The text without its byte order mark, and the encoding it was read in.

    `guessed` is False where a byte order mark or valid UTF-8 proves the encoding.
    """

    text: str
    encoding: str
    guessed: bool


def decode_text(data: bytes) -> DecodedText:
    """Return the text of `data`: Unicode if it can be, else a detected legacy encoding.

    Raises UndecodableTextError. Work is linear: the detector sees a bounded sample.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _decode(data[len(mark) :], encoding=encoding, guessed=False)
    wide = _wide_encoding(data)
    if wide is not None:
        return _decode(data, encoding=wide, guessed=True)
    try:
        return DecodedText(text=data.decode("utf-8"), encoding="utf-8", guessed=False)
    except UnicodeDecodeError as error:
        legacy = _legacy_encoding(data, at=error.start)
    return _decode(data, encoding=legacy, guessed=True)


def _decode(data: bytes, *, encoding: str, guessed: bool) -> DecodedText:
    label = encoding.replace("cp125", "windows-125").replace("_", "-")
    try:
        return DecodedText(text=data.decode(encoding), encoding=label, guessed=guessed)
    except UnicodeDecodeError as error:
        raise UndecodableTextError(f"byte {error.start + 1} is not valid {label}") from error


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


def _legacy_encoding(data: bytes, *, at: int) -> str:
    start = max(0, at - _SAMPLE_BYTES // 2)
    matches = from_bytes(
        data[start : start + _SAMPLE_BYTES], cp_isolation=list(_LEGACY), enable_fallback=False
    )
    best = matches.best()
    if best is None:
        raise UndecodableTextError("the bytes fit no encoding that is supported")
    # Short texts often fit several code pages equally well; windows-1252 is by far the
    # commonest in files that are not UTF-8, so it wins every tie.
    for match in matches:
        if match.chaos <= best.chaos and "cp1252" in match.could_be_from_charset:
            return "cp1252"
    return best.encoding
