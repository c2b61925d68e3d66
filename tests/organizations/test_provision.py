"""`manage.py provision`: what it refuses, and that two of it do not meet."""

from __future__ import annotations

import subprocess
import sys
from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command

from apps.core.problems import Invalid
from apps.core.tenancy import connection
from apps.organizations.hosts import require_names
from apps.organizations.models import Organization
from apps.organizations.services import request_organization
from tests.database import ROOT, Server


def refusal(**options: str) -> str:
    """Return why the command does not do what is asked; nothing is changed then."""
    with pytest.raises(CommandError) as refused:
        call_command("provision", stdout=StringIO(), **options)
    with connection.platform():
        assert sorted(Organization.objects.values_list("slug", flat=True)) == ["a", "b"]
    return str(refused.value)


@pytest.mark.django_db
def test_provision_of_an_unknown_short_name_makes_nothing() -> None:
    assert refusal(slug="amce", owner="you@example.org") == (
        "There is no organisation “amce”. There are: a, b. To make a new one, give its --name."
    )


@pytest.mark.django_db
def test_provision_names_what_can_be_no_organisation() -> None:
    assert refusal(slug="Acme_X!", name=" ", host="http://acme") == (
        "The input is not valid."
        "\n  --slug: 1 to 50 small letters, digits and hyphens, no hyphen at an end"
        "\n  --name: 1 to 200 characters"
        "\n  --host: a host as it stands in an address, without scheme and port"
    )


@pytest.mark.django_db
def test_provision_refuses_a_host_of_another_organisation() -> None:
    assert refusal(slug="acme", name="Acme", host="a.localhost") == (
        "This host or short name belongs to another organisation."
    )


@pytest.mark.django_db
def test_provision_does_not_rename_or_move_what_is_there(org_a: Organization) -> None:
    assert refusal(slug="a", name="Acme") == f"“a” is there already: it is {org_a.name}."
    assert refusal(slug="a", host="acme.test") == "“a” is there already, at another host."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"owner": "you@example.org"}, "--owner needs --slug: of which organisation?"),
        ({"slug": "a", "owner": "nobody"}, "“nobody” is no e-mail address."),
    ],
)
def test_provision_refuses_an_owner_it_cannot_invite(options: dict[str, str], reason: str) -> None:
    assert refusal(**options) == reason


@pytest.mark.parametrize("slug", ["a", "a-1", "0" * 50])
def test_require_names_takes_what_can_stand_in_an_address(slug: str) -> None:
    require_names(slug=slug, name="Ä & Co.", host=f"{slug}.example.org")


@pytest.mark.parametrize("slug", ["", "-a", "a-", "A", "ä", "a.b", "a b", "0" * 51])
def test_require_names_refuses_what_cannot(slug: str) -> None:
    with pytest.raises(Invalid) as refused:
        require_names(slug=slug, name="Acme", host="acme.example.org")

    assert [error["field"] for error in refused.value.errors] == ["slug"]


@pytest.mark.flow
def test_provision_leaves_alone_what_another_process_is_making(
    server: Server, own_database: str
) -> None:
    with connection.platform():
        wanted = request_organization(slug="acme", name="Acme")
    with psycopg.connect(server.url(own_database, role="assay_owner")) as other:
        key = f"provision {wanted.schema_name}"
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [key])
        done = subprocess.run(
            [sys.executable, "manage.py", "provision", "--slug", "acme"],
            capture_output=True,
            check=False,
            cwd=ROOT,
            env=server.environment(own_database),
            text=True,
        )

    assert (done.returncode, done.stderr) == (
        1,
        "CommandError: Another process is making this organisation's schema.\n",
    )
    with connection.platform():
        assert Organization.objects.get(slug="acme").provisioning == "requested"
