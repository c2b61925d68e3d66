"""The TXT records of a name, asked of the resolvers of this machine."""

from __future__ import annotations

import dns.exception
import dns.resolver

from apps.sso.ports import NoAnswer

PATIENCE_SECONDS = 5.0


def txt_records(name: str) -> list[str]:
    """Return the texts of a name's TXT records, none for a name that has none.

    Raises NoAnswer when no name server told.
    """
    try:
        found = dns.resolver.resolve(name, "TXT", lifetime=PATIENCE_SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as error:
        raise NoAnswer(str(error)) from error
    return [b"".join(record.strings).decode("utf-8", "replace") for record in found]
