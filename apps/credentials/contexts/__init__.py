"""The JSON-LD contexts a signature may rest on, pinned by digest.

The JSON files are the published documents, byte for byte: W3C Verifiable
Credentials 2.0, Data Integrity and Multikey (digests as published in the
Recommendations) and 1EdTech Open Badges 3.0 with its extensions. A context
decides what a signature covers, so none is ever fetched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

from pyld import ContextResolver

CREDENTIALS_V2: Final = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES_V3: Final = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
OPEN_BADGES_EXTENSIONS: Final = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
DATA_INTEGRITY_V2: Final = "https://w3id.org/security/data-integrity/v2"
MULTIKEY_V1: Final = "https://w3id.org/security/multikey/v1"

_PINNED: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        CREDENTIALS_V2: (
            "credentials-v2.json",
            "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
        ),
        OPEN_BADGES_V3: (
            "ob-v3p0-context-3.0.3.json",
            "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84",
        ),
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json": (
            "ob-v3p0-context-3.0.2.json",
            "00666ad080ba407687ed1846b7f5e7495f5019042b202a727de47c48a1755c53",
        ),
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json": (
            "ob-v3p0-context-3.0.1.json",
            "5f3d9dd6288ef437ff8286cf95ffbff609c748a66f24a1e9450c45ca64be1571",
        ),
        OPEN_BADGES_EXTENSIONS: (
            "ob-v3p0-extensions.json",
            "87c06c81bc2317663bf288d740d94fddd2818c4342b186270ff6371dfaa63f93",
        ),
        DATA_INTEGRITY_V2: (
            "security-data-integrity-v2.json",
            "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4",
        ),
        MULTIKEY_V1: (
            "security-multikey-v1.json",
            "ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597",
        ),
    }
)


class ContextAltered(RuntimeError):
    """A shipped context file is not the published document."""


class UnknownContext(ValueError):
    """A document names a context that is not pinned."""


@dataclass(frozen=True)
class Contexts:
    """A closed set of contexts by URL, with the cache of their processed form.

    A URL outside the set is an error. Each set has a cache of its own, so two
    sets that give one URL different meanings never mix.
    """

    documents: Mapping[str, dict[str, Any]]
    _processed: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def require(self, document: Mapping[str, Any]) -> None:
        """Raise UnknownContext unless `@context` is a list of distinct URLs of this set."""
        named = document.get("@context")
        urls = named if isinstance(named, list) else [named]
        if not urls:
            raise UnknownContext("@context names no context")
        for url in urls:
            if not isinstance(url, str):
                raise UnknownContext("@context must list the addresses of published contexts")
            if url not in self.documents:
                raise UnknownContext(f"the context {url[:200]} is not one of the pinned contexts")
        if len(set(urls)) != len(urls):
            raise UnknownContext("@context names the same context twice")

    def load(self, url: str, options: object = None) -> dict[str, Any]:
        """Answer PyLD's document loader; raise UnknownContext instead of fetching."""
        if url not in self.documents:
            raise UnknownContext(f"the context {url[:200]} is not one of the pinned contexts")
        return {
            "contextUrl": None,
            "documentUrl": url,
            "document": self.documents[url],
            "tag": "static",
        }

    def options(self) -> dict[str, Any]:
        """Return PyLD options that resolve every context from this set and its cache."""
        resolver = ContextResolver(self._processed, self.load)
        return {"documentLoader": self.load, "contextResolver": resolver, "base": ""}


@cache
def pinned() -> Contexts:
    """Return the shipped contexts. Raises ContextAltered when a file's digest is wrong."""
    return Contexts(documents={url: _read(*file) for url, file in _PINNED.items()})


def _read(name: str, sha256: str) -> dict[str, Any]:
    content = resources.files(__name__).joinpath(name).read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ContextAltered(f"{name} differs from the published context")
    document: dict[str, Any] = json.loads(content)
    return document
