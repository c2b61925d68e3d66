"""Requests that leave for an address an organisation typed: never into our own network.

The check is made on the connected socket, after the name was resolved and before a byte is sent:
a name that answers differently the second time gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

TIMEOUT_SECONDS = 10.0
LARGEST_BYTES = 5 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024


class Unreachable(Exception):
    """The address gave no usable answer; the text says why, for whoever typed the address."""


class PrivateAddress(HTTPError):
    """The name leads into a private network."""


def may_be_called(address: str) -> bool:
    """Whether an IP address is one of the public internet, or private ones are allowed here."""
    if settings.ALLOW_PRIVATE_ADDRESSES:
        return True
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_global and not ip.is_multicast


class _Guarded:
    def _new_conn(self) -> socket.socket:
        connected: socket.socket = super()._new_conn()  # type: ignore[misc]
        peer = connected.getpeername()[0]
        if not may_be_called(peer):
            connected.close()
            raise PrivateAddress(f"{peer} is not an address of the public internet")
        return connected


class _Http(_Guarded, HTTPConnection):
    pass


class _Https(_Guarded, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class _GuardedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


class OutboundSession(requests.Session):
    """A session that reaches the public internet only, by https, soon, and without redirects."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False  # a proxy would resolve and connect in our stead
        self.mount("https://", _GuardedAdapter())
        if settings.ALLOW_PRIVATE_ADDRESSES:
            self.mount("http://", _GuardedAdapter())
        else:
            del self.adapters["http://"]

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["timeout"] = TIMEOUT_SECONDS
        kwargs["allow_redirects"] = False
        return super().request(*args, **kwargs)


def fetch(url: str) -> bytes:
    """Return what this address answers, at most 5 MiB. Raises Unreachable."""
    try:
        with OutboundSession() as session, session.get(url, stream=True) as answer:
            if answer.is_redirect:
                raise Unreachable("The address redirects: give the one it leads to.")
            if answer.status_code != requests.codes.ok:
                raise Unreachable(f"The address answered {answer.status_code}.")
            content = b""
            for chunk in answer.iter_content(_CHUNK_BYTES):
                content += chunk
                if len(content) > LARGEST_BYTES:
                    raise Unreachable("The answer is larger than 5 MB.")
            return content
    except requests.exceptions.InvalidSchema as error:
        raise Unreachable("The address must begin with https://.") from error
    except requests.exceptions.SSLError as error:
        raise Unreachable(f"The certificate of {urlsplit(url).hostname} is not trusted.") from error
    except requests.exceptions.Timeout as error:
        raise Unreachable(f"{urlsplit(url).hostname} did not answer in time.") from error
    except (requests.exceptions.RequestException, PrivateAddress, ValueError) as error:
        raise Unreachable(f"{urlsplit(url).hostname or url} can't be reached.") from error
