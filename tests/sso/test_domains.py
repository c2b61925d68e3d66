"""Proving a domain by a TXT record, asked of a real name server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest
from django.db import connection

from apps.contacts.models import Contact
from apps.core.clock import now
from apps.core.ids import uuid7
from apps.core.tenancy import tenant_context
from apps.organizations.models import Organization, OrgRole
from apps.sso.models import EmailDomain
from apps.sso.services.connections import OwnersChangeSso
from apps.sso.services.domains import (
    DomainKnown,
    NoDomain,
    UnknownEmailDomain,
    add_domain,
    check_domain,
    record_name,
    record_value,
    remove_domain,
)
from apps.sso.tasks import verify_awaited_domains
from tests.factories import member
from tests.sso.conftest import principal

pytestmark = pytest.mark.django_db


class NameServer:
    """Answers TXT questions over UDP on this machine, from a dictionary."""

    def __init__(self) -> None:
        self.records: dict[str, list[str]] = {}
        self.is_down = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                wire, who = self._socket.recvfrom(4096)
            except OSError:
                return
            question = dns.message.from_wire(wire)
            answer = dns.message.make_response(question)
            name = question.question[0].name
            texts = self.records.get(name.to_text(omit_final_dot=True))
            if self.is_down:
                answer.set_rcode(dns.rcode.SERVFAIL)
            elif texts is None:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            else:
                quoted = [f'"{text}"' for text in texts]
                answer.answer.append(dns.rrset.from_text_list(name, 60, "IN", "TXT", quoted))
            self._socket.sendto(answer.to_wire(), who)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def name_server() -> Iterator[NameServer]:
    server = NameServer()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = server.port
    before, dns.resolver.default_resolver = dns.resolver.default_resolver, resolver
    yield server
    dns.resolver.default_resolver = before
    server.close()


def added(owner: Contact, domain: str = "corp.example") -> EmailDomain:
    return add_domain(principal=principal(owner), actor=owner, domain=domain)


def checked(owner: Contact, row: EmailDomain) -> bool:
    return check_domain(principal=principal(owner), actor=owner, domain_id=row.pk, at=now())


def test_a_domain_counts_once_its_record_stands(name_server: NameServer, owner: Contact) -> None:
    row = added(owner, " Corp.Example ")
    before = checked(owner, row)
    error = EmailDomain.objects.get().check_error
    name_server.records[record_name(row)] = ["v=spf1 -all", record_value(row)]

    after = checked(owner, row)

    assert (row.domain, before, after) == ("corp.example", False, True)
    assert error == "No TXT record of _assay.corp.example has the text."
    assert EmailDomain.objects.get().verified_at is not None


def test_another_organisations_record_proves_nothing(
    name_server: NameServer, owner: Contact, org_b: Organization
) -> None:
    row = added(owner)
    with tenant_context(org_b):
        theirs = added(member(OrgRole.OWNER))
    name_server.records[record_name(row)] = [record_value(theirs)]

    assert not checked(owner, row)


def test_name_servers_that_are_down_say_nothing(name_server: NameServer, owner: Contact) -> None:
    row = added(owner)
    name_server.is_down = True

    assert not checked(owner, row)
    assert EmailDomain.objects.get().check_error == (
        "The name servers of the domain did not answer."
    )


def test_what_is_proved_stays_so(name_server: NameServer, owner: Contact) -> None:
    row = added(owner)
    name_server.records[record_name(row)] = [record_value(row)]
    checked(owner, row)
    name_server.records.clear()

    assert checked(owner, row)


def test_the_task_finds_what_is_awaited(name_server: NameServer, owner: Contact) -> None:
    tenant, row = connection.tenant, added(owner)
    name_server.records[record_name(row)] = [record_value(row)]

    assert verify_awaited_domains() == 1
    connection.set_tenant(tenant)
    assert EmailDomain.objects.get().verified_at is not None


def test_a_domain_stands_in_the_list_once(owner: Contact) -> None:
    added(owner)

    with pytest.raises(DomainKnown):
        added(owner, "CORP.example")
    with pytest.raises(NoDomain):
        added(owner, "no domain")


def test_only_owners_change_domains(owner: Contact) -> None:
    row, admin = added(owner), member(OrgRole.ADMIN)

    with pytest.raises(OwnersChangeSso):
        added(admin, "other.example")
    with pytest.raises(OwnersChangeSso):
        remove_domain(principal=principal(admin), actor=admin, domain_id=row.pk)


def test_a_domain_of_another_organisation_is_not_found(owner: Contact, org_b: Organization) -> None:
    with tenant_context(org_b):
        theirs = added(member(OrgRole.OWNER))

    for domain_id in (theirs.pk, uuid7()):
        with pytest.raises(UnknownEmailDomain):
            remove_domain(principal=principal(owner), actor=owner, domain_id=domain_id)
    with connection.platform():
        assert EmailDomain.objects.filter(pk=theirs.pk).exists()
