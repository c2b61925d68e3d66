"""Shops, their secrets, and what they sell."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.commerce.models import Sellable, Source, SourceSecret
from apps.commerce.selectors import signing_keys
from apps.commerce.services import (
    add_sellable,
    add_source,
    change_sellable,
    change_source,
    disable_source,
    enable_source,
    remove_sellable,
    revoke_secret,
    rotate_secret,
)
from apps.commerce.services.sellables import SellableInvalid, SellableOrdered, SkuTaken
from apps.commerce.services.sources import LONGEST_OVERLAP, SecretRevoked, SourceInvalid
from apps.commerce.signatures import key_of
from apps.contacts.models import AdminAction, Contact
from apps.core.sealing import SealBroken, open_sealed
from apps.core.tenancy import tenant_context
from apps.organizations.models import Organization
from tests.cohorts.factories import open_cohort, person
from tests.commerce.factories import AT, MINUTE, order, shop

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def registrar() -> Contact:
    return person("Registrar")


def keys(at: Any = AT) -> list[bytes]:
    return [key for _secret, key in signing_keys(at=at)]


# --- Secrets ------------------------------------------------------------------------------------


def test_add_source_makes_a_secret_that_rests_sealed() -> None:
    made = add_source(slug="shop", title="Shop", currencies=["eur", "CHF", "EUR"], actor=None)

    row = SourceSecret.objects.get()
    assert made.row == row
    assert made.text.startswith(row.hint)
    assert len(row.hint) == 10
    assert made.text.encode() not in bytes(row.sealed or b"")
    assert made.row.source.currencies == ["CHF", "EUR"]
    assert keys() == [key_of(made.text)]


def test_a_seal_does_not_open_in_another_row() -> None:
    one, two = shop(), shop(slug="other")
    row = one.source.secrets.get()
    with pytest.raises(SealBroken):
        open_sealed(bytes(row.sealed or b""), bound_to=f"x/{row.id}")
    SourceSecret.objects.filter(pk=row.pk).update(sealed=two.source.secrets.get().sealed)

    assert keys() == [key_of(two.secret)]


@pytest.mark.parametrize(
    ("fields", "where"),
    [({"slug": "shop"}, "slug"), ({"slug": "new", "currencies": ["EUR", "Euro"]}, "currencies")],
)
def test_add_source_refuses(fields: dict[str, Any], where: str) -> None:
    shop()

    with pytest.raises(SourceInvalid) as told:
        add_source(**{"title": "x", "currencies": [], "actor": None, **fields})

    assert [error["field"] for error in told.value.errors] == [where]
    assert Source.objects.count() == 1


def test_change_source_changes_what_it_may_sell_in(registrar: Contact) -> None:
    changed = change_source(
        source=shop("EUR").source, title="Web shop", currencies=["usd"], actor=registrar
    )

    assert (changed.title, changed.currencies) == ("Web shop", ["USD"])


def test_rotation_lets_the_old_secret_run_out(registrar: Contact) -> None:
    own = shop()

    new = rotate_secret(source=own.source, overlap=DAY, actor=registrar, at=AT)

    assert keys(AT + DAY - MINUTE) == [key_of(own.secret), key_of(new.text)]
    assert keys(AT + DAY) == [key_of(new.text)]
    again = rotate_secret(source=own.source, overlap=2 * DAY, actor=registrar, at=AT + MINUTE)
    assert len(keys(AT + DAY - MINUTE)) == 3
    assert keys(AT + DAY) == [key_of(new.text), key_of(again.text)]


def test_rotation_without_overlap_destroys_every_other_secret(registrar: Contact) -> None:
    own = shop()
    rotate_secret(source=own.source, overlap=DAY, actor=registrar, at=AT)

    new = rotate_secret(source=own.source, overlap=timedelta(0), actor=registrar, at=AT)

    assert keys() == [key_of(new.text)]
    sealed = SourceSecret.objects.exclude(pk=new.row.pk).values_list("sealed", flat=True)
    assert list(sealed) == [None, None]


def test_an_overlap_is_bounded(registrar: Contact) -> None:
    own = shop()
    new = rotate_secret(source=own.source, overlap=900 * DAY, actor=registrar, at=AT)

    assert keys(AT + LONGEST_OVERLAP) == [key_of(new.text)]


def test_revoke_secret_ends_it_at_once(registrar: Contact) -> None:
    own = shop()
    row = own.source.secrets.get()

    revoked = revoke_secret(secret=row, actor=registrar, at=AT)

    assert (revoked.revoked_at, revoked.sealed, keys()) == (AT, None, [])
    with pytest.raises(SecretRevoked):
        revoke_secret(secret=row, actor=registrar, at=AT)
    new = rotate_secret(source=own.source, overlap=DAY, actor=registrar, at=AT)
    assert keys() == [key_of(new.text)]


def test_a_disabled_source_signs_nothing(registrar: Contact) -> None:
    own = shop()

    disable_source(source=own.source, actor=registrar, at=AT)
    disable_source(source=own.source, actor=registrar, at=AT + DAY)
    disabled = keys()
    enable_source(source=own.source, actor=registrar)

    assert (disabled, keys()) == ([], [key_of(own.secret)])
    told = AdminAction.objects.order_by("recorded_at").values_list("action", flat=True)
    assert list(told) == ["source.created", "source.disabled", "source.enabled"]


def test_a_secret_of_another_organisation_signs_nothing_here(org_b: Organization) -> None:
    with tenant_context(org_b):
        shop()

    assert keys() == []


# --- Sellables ----------------------------------------------------------------------------------


def test_add_sellable_refuses_a_sku_that_is_taken() -> None:
    own, cohort = shop(), open_cohort()
    own.sells(cohort)

    with pytest.raises(SkuTaken):
        own.sells(cohort)
    assert shop(slug="other").sells(cohort).kind == "cohort"


def test_add_sellable_refuses_what_is_not_exactly_one_thing() -> None:
    own, cohort = shop(), open_cohort()

    for things in ({}, {"cohort": cohort, "program": cohort.program_version.definition}):
        with pytest.raises(SellableInvalid):
            add_sellable(source=own.source, sku="X", title="X", actor=None, **things)
    assert not Sellable.objects.exists()


def test_change_sellable_moves_what_an_sku_means(registrar: Contact) -> None:
    own, cohort = shop(), open_cohort()
    sold = own.sells(cohort)
    program = cohort.program_version.definition

    changed = change_sellable(
        sellable=sold, actor=registrar, cohort=None, program=program, sku="NEW"
    )

    assert (changed.kind, changed.target, changed.sku) == ("program", program, "NEW")
    with pytest.raises(SellableInvalid):
        change_sellable(sellable=sold, actor=registrar, cohort=cohort)


def test_remove_sellable_keeps_what_was_ordered(registrar: Contact) -> None:
    own, cohort = shop(), open_cohort()
    ordered, never = own.sells(cohort), own.sells(cohort, sku="NEVER")
    own.tells(order())

    remove_sellable(sellable=never, actor=registrar)
    with pytest.raises(SellableOrdered):
        remove_sellable(sellable=ordered, actor=registrar)

    assert list(Sellable.objects.all()) == [ordered]
