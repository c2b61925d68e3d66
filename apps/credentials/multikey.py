"""Ed25519 keys as Multikey text (base58btc of a multicodec prefix and 32 bytes).

Controlled Identifiers 1.0, section 2.2.2: public keys start with 0xed01,
secret keys with 0x8026.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUE_OF: Final = {letter: value for value, letter in enumerate(_ALPHABET)}
# Decoding is quadratic; a 64-byte signature is 88 letters, a key 48.
_MAX_LETTERS: Final = 128
_PUBLIC: Final = b"\xed\x01"
_SECRET: Final = b"\x80\x26"


class MultibaseInvalid(ValueError):
    """The text is not what its multibase or multicodec prefix promises."""


def encode_base58btc(content: bytes) -> str:
    """Return multibase base58btc text, prefix `z` included."""
    number = int.from_bytes(content, "big")
    letters = []
    while number:
        number, remainder = divmod(number, 58)
        letters.append(_ALPHABET[remainder])
    zeros = len(content) - len(content.lstrip(b"\0"))
    return "z" + _ALPHABET[0] * zeros + "".join(reversed(letters))


def decode_base58btc(text: str) -> bytes:
    """Return the bytes of multibase base58btc text. Raises MultibaseInvalid."""
    if not text.startswith("z") or len(text) > _MAX_LETTERS:
        raise MultibaseInvalid(f"not base58btc of at most {_MAX_LETTERS} letters")
    number = 0
    for letter in text[1:]:
        if letter not in _VALUE_OF:
            raise MultibaseInvalid("a letter is outside the base58btc alphabet")
        number = number * 58 + _VALUE_OF[letter]
    zeros = len(text[1:]) - len(text[1:].lstrip(_ALPHABET[0]))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def encode_public_key(key: Ed25519PublicKey) -> str:
    return encode_base58btc(_PUBLIC + key.public_bytes_raw())


def decode_public_key(text: str) -> Ed25519PublicKey:
    """Return the key in `publicKeyMultibase` text. Raises MultibaseInvalid."""
    return Ed25519PublicKey.from_public_bytes(_key_bytes(text, _PUBLIC))


def encode_secret_key(key: Ed25519PrivateKey) -> str:
    return encode_base58btc(_SECRET + key.private_bytes_raw())


def decode_secret_key(text: str) -> Ed25519PrivateKey:
    """Return the key in `secretKeyMultibase` text. Raises MultibaseInvalid."""
    return Ed25519PrivateKey.from_private_bytes(_key_bytes(text, _SECRET))


def _key_bytes(text: str, prefix: bytes) -> bytes:
    content = decode_base58btc(text)
    if not content.startswith(prefix) or len(content) != len(prefix) + 32:
        raise MultibaseInvalid("not an Ed25519 key of the expected kind")
    return content[len(prefix) :]
