"""The back office as one person sees it: its pages, the rows that they see there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urljoin

from django.contrib import admin
from django.db import models
from django.test import Client, RequestFactory
from django.urls import get_resolver, resolve
from lxml import html

from apps.cohorts.models import CohortEnrollment
from apps.contacts.models import Contact, ContactChannel
from apps.contacts.principal import Principal
from apps.core.models import Version, VersionChild, VersionStatus
from apps.demo.people import as_member
from tests.clients import browser, host
from tests.walls.endpoints import WORDS, Endpoint, named_by, walk

# Not pages of an organisation: Django's own, and those that lead to others.
ELSEWHERE = (
    "admin/login/",
    "admin/logout/",
    "admin/jsi18n/",
    "admin/r/",
    "admin/(?P<url>",
    "admin/^(?P<app_label>",
)
TO_A_ROW = "/<path:object_id>/"
"""An old address of each row, which leads to its page."""

SENDING = "//main//form[translate(@method, 'POST', 'post') = 'post']"
BUTTONS = ".//input[@type='submit'][not(@disabled)] | .//button[not(@type='button' or @disabled)]"
TOKEN = "csrfmiddlewaretoken"

LINKS_OF_A_KIND = 2
"""How many links between two kinds of pages are followed."""


def office_endpoints() -> list[Endpoint]:
    """Return every address of the back office."""
    return [
        endpoint
        for endpoint in walk(get_resolver())
        if endpoint.route.startswith("admin/")
        and not endpoint.route.startswith(ELSEWHERE)
        and not endpoint.route.endswith(TO_A_ROW)
    ]


@dataclass(frozen=True)
class Page:
    """What an address answered."""

    status: int
    text: str

    @cached_property
    def tree(self) -> Any:
        return html.document_fromstring(self.text)

    @property
    def is_page(self) -> bool:
        return self.status == 200 and self.text.lstrip().startswith("<!DOCTYPE")


@dataclass
class Desk:
    """One person at work in the back office; what they opened is kept."""

    person: Contact
    role: str
    opened: dict[str, Page] = field(default_factory=dict)

    @cached_property
    def client(self) -> Client:
        return browser(self.person)

    @cached_property
    def principal(self) -> Principal:
        return as_member(self.person, self.role)

    def open(self, address: str) -> Page:
        """Return what the address answers."""
        if address not in self.opened:
            answer = self.client.get(address)
            kind = answer.headers.get("Content-Type", "")
            text = answer.content.decode() if kind.startswith("text/html") else ""
            self.opened[address] = Page(answer.status_code, text)
        return self.opened[address]

    def sees(self, model: type[models.Model]) -> models.QuerySet[Any]:
        """Return the rows that the model's own list shows, whatever the capability to open it."""
        about = admin.site._registry.get(model)
        if about is None:
            return model._default_manager.all()
        request = RequestFactory(SERVER_NAME=host()).get("/admin/")
        request.principal, request.user = self.principal, self.person  # type: ignore[attr-defined]
        return about.get_queryset(request)

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Return route and address of every page, with rows that this person sees."""
        for endpoint in office_endpoints():
            named = {name: named_by(endpoint, name) for name in _rows(endpoint)}
            for status in _statuses(named.get("object_id")):
                ids = dict(WORDS)
                for name, model in named.items():
                    row = _first(self.sees(model), model, status)
                    ids[name] = str(row.pk) if row is not None else ""
                if all(ids.get(name) for name in endpoint.parameters):
                    yield endpoint.route, endpoint.path(ids)

    def addresses_unseen(self) -> Iterator[tuple[str, str]]:
        """Return route and address of every page of a row that this person does not see."""
        for endpoint in office_endpoints():
            if "object_id" not in endpoint.parameters:
                continue
            named = {name: named_by(endpoint, name) for name in _rows(endpoint)}
            model = named["object_id"]
            seen = self.sees(model).order_by().values_list("pk", flat=True)
            row = model._default_manager.exclude(pk__in=set(seen)).order_by("pk").first()
            others = {name: other._default_manager.first() for name, other in named.items()}
            if row is not None and all(others.values()):
                ids = {name: str(other.pk) for name, other in others.items()}  # type: ignore[union-attr]
                yield endpoint.route, endpoint.path({**WORDS, **ids, "object_id": str(row.pk)})

    def links(self) -> dict[str, str]:
        """Return link -> the page it stands on, for a few links between each two kinds of pages."""
        kinds: dict[tuple[str, str], int] = defaultdict(int)
        found: dict[str, str] = {}
        for address, page in list(self.opened.items()):
            here = resolve(address.partition("?")[0]).route
            for link in map(str, page.tree.xpath("//main//a/@href") if page.is_page else ()):
                path = link.partition("#")[0].partition("?")[0]
                if not path.startswith("/admin/") or link in self.opened or link in found:
                    continue
                kind = here, resolve(path).route
                kinds[kind] += 1
                if kinds[kind] <= LINKS_OF_A_KIND:
                    found[link] = address
        return found


def forms_of(desk: Desk) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Return address and content of each form that the opened pages of this desk could send.

    What is done with selected rows is sent as if the first were selected and all was confirmed.
    """
    for address, page in desk.opened.items():
        for form in page.tree.xpath(SENDING) if page.is_page else ():
            sent = [(name, value) for name, value in form.form_values() if name != TOKEN]
            if not form.xpath(BUTTONS):
                continue
            selected = form.xpath(".//input[@name='_selected_action']/@value")[:1]
            sent += [("_selected_action", pk) for pk in selected] + [("confirmed", "on")]
            verbs = form.xpath(".//select[@name='action']/option[@value != '']/@value")
            for verb in verbs or [""]:
                chosen = [(name, value) for name, value in sent if name != "action"]
                chosen += [("action", verb)] if verb else []
                yield urljoin(address, form.get("action") or ""), chosen


def learners_elsewhere(desk: Desk) -> list[tuple[str, str]]:
    """Return name and e-mail of learners who are in none of the cohorts that this person staffs."""
    own = CohortEnrollment.objects.filter(cohort__in=desk.principal.cohort_ids)
    others = CohortEnrollment.objects.exclude(contact__in=own.values("contact"))
    channels = ContactChannel.objects.filter(contact__in=others.values("contact"))
    return list(channels.values_list("contact__display_name", "value"))


def _rows(endpoint: Endpoint) -> list[str]:
    return [name for name in endpoint.parameters if name not in WORDS]


def _statuses(model: type[models.Model] | None) -> list[str]:
    """Return which rows are looked at: of what has versions, a draft's and a published one's."""
    if model is not None and issubclass(model, Version | VersionChild):
        return [VersionStatus.DRAFT, VersionStatus.PUBLISHED]
    return [""]


def _first(rows: models.QuerySet[Any], model: type[models.Model], status: str) -> Any:
    if status and issubclass(model, Version):
        rows = rows.filter(status=status)
    elif status and issubclass(model, VersionChild):
        rows = rows.filter(version__status=status)
    return rows.order_by("pk").first()
