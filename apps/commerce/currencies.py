"""Currencies of ISO 4217, and how many decimals their amounts have."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

_LISTED: Final = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN
    BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS
    GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW
    KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD
    NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD
    SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED
    VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
_LISTED_WITHOUT_DECIMALS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_LISTED_WITH_THREE: Final = "BHD IQD JOD KWD LYD OMR TND"

CODES: Final = frozenset(_LISTED.split())
_DECIMALS: Final = {
    **dict.fromkeys(_LISTED_WITHOUT_DECIMALS.split(), 0),
    **dict.fromkeys(_LISTED_WITH_THREE.split(), 3),
}


def decimals(currency: str) -> int:
    """Return the minor units of a currency: 2 also for codes that are not known."""
    return _DECIMALS.get(currency, 2)


def in_words(amount: Decimal, currency: str) -> str:
    """Return an amount as people read it; more decimals than usual are shown, never dropped."""
    exponent = amount.normalize().as_tuple().exponent
    given = -exponent if isinstance(exponent, int) else 0
    return f"{amount:,.{max(decimals(currency), given)}f} {currency}"
