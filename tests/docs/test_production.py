"""The commands of docs/how-to/production.md do what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from io import StringIO

import pytest
from django.core.management import call_command

from apps.contacts.models import Contact
from apps.core.tenancy import connection
from apps.organizations.models import Organization, OrgMembership
from tests.clients import browser
from tests.docs.sources import ROOT

PAGE = ROOT / "docs" / "how-to" / "production.md"


@pytest.mark.django_db
def test_the_first_owner_joins_by_the_printed_link(org_a: Organization) -> None:
    printed = StringIO()
    tenant = connection.tenant
    call_command("provision", slug=org_a.slug, owner="yolanda@example.org", stdout=printed)
    connection.set_tenant(tenant)
    host, path = re.fullmatch(r"http://([^/:]+):\d+(/.*)\n", printed.getvalue()).groups()  # type: ignore[union-attr]

    answer = browser().post(
        path, {"display_name": "Yolanda First", "password": "a long and winding road"}
    )

    owner = Contact.objects.get(display_name="Yolanda First")
    with connection.platform():
        role = OrgMembership.objects.get(user_id=owner.user_id).org_role
    assert (host, answer.status_code, role) == ("a.localhost", 302, "owner")


def test_processes_are_those_of_the_procfile() -> None:
    page = PAGE.read_text(encoding="utf-8")
    procfile = (ROOT / "Procfile").read_text(encoding="utf-8")
    programs = re.findall(r"^\w+: (\S+ \S+ \S+(?: (?:worker|beat))?)", procfile, re.MULTILINE)

    assert [program for program in programs if program not in page] == []


def test_what_works_as_the_owner_is_given_the_owners_login() -> None:
    commands = re.findall(
        r"^.*manage\.py (?:setup|provision|sync_grants).*$", PAGE.read_text(), re.M
    )
    commands = [line for line in commands if "`" not in line]

    assert len(commands) == 3
    assert [line for line in commands if not line.startswith("DATABASE_OWNER_URL=")] == []


@pytest.mark.parametrize(
    ("command", "given", "error"),
    [
        (
            "provision",
            {},
            "Set SECRET_KEY in the environment: it signs sessions and links.",
        ),
        (
            "provision",
            {"SECRET_KEY": "s", "ASSAY_KEY": "a" * 43 + "="},
            "Set DATABASE_OWNER_URL in the environment: provision works as the owner.",
        ),
        ("setup", {}, "Set DATABASE_OWNER_URL in the environment: setup works as the owner."),
    ],
)
def test_a_command_without_its_settings_says_which(
    command: str, given: dict[str, str], error: str
) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", command],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **given},
        text=True,
    )

    assert (done.returncode, done.stderr) == (1, f"error: {error}\n")
