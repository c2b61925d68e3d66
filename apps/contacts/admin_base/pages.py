"""Purpose-built pages: beside Django's own, or instead of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import models
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.contacts.admin_base.organization import OrganizationModelAdmin
from apps.contacts.admin_base.requests import refusal_of, refuse_in
from apps.contacts.searching import SEARCH_LABEL, Search

Trail = Sequence[tuple[str, Any]]
"""The pages above one: address and name of each."""

MOST_SHOWN = 50
"""How many of the selected rows a question names."""


def url_of(subject: models.Model | type[models.Model], page: str = "change") -> str:
    """Return the address of an admin page of this object, or of its model."""
    meta = subject._meta
    args = [subject.pk] if isinstance(subject, models.Model) else []
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=args)


class Pages(OrganizationModelAdmin):
    """An admin class with pages of its own, out of templates/admin/assay."""

    def page(
        self,
        request: HttpRequest,
        template: str,
        *,
        title: Any,
        status: int = 200,
        about: models.Model | None = None,
        trail: Trail = (),
        **context: Any,
    ) -> HttpResponse:
        """Return a page; between the list and it stand the row that it is `about`, or `trail`."""
        if about is not None:
            trail = [(url_of(about), about), *trail]
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "trail": [self.list_above(), *trail],
        }
        return TemplateResponse(
            request, f"admin/assay/{template}.html", {**shared, **context}, status=status
        )

    def form_page(
        self, request: HttpRequest, form: Any, *, title: Any, back: str, **context: Any
    ) -> HttpResponse:
        """Return a page of one form; `send` and `danger` say what its button does."""
        return self.page(request, "form_page", title=title, form=form, back=back, **context)

    def search_page(
        self, request: HttpRequest, form: Any, search: Search, **context: Any
    ) -> HttpResponse:
        """Return a page that finds first, then has one of what was found chosen in a form."""
        return self.page(
            request,
            "search_page",
            form=form,
            search=search,
            search_label=SEARCH_LABEL,
            **context,
        )

    def filled_in(
        self,
        request: HttpRequest,
        form: BaseForm,
        work: Callable[[], Any],
        *,
        title: Any,
        done: Any,
        back: str,
        **context: Any,
    ) -> HttpResponse:
        """Call a service with what was filled in; a refusal is told in the form, which stays."""
        problem = refusal_of(work)
        if problem is not None:
            refuse_in(form, problem)
            return self.form_page(request, form, title=title, back=back, **context)
        messages.success(request, done)
        return HttpResponseRedirect(back)

    def asked(
        self,
        request: HttpRequest,
        queryset: models.QuerySet[Any],
        *,
        action: str,
        sentence: Any,
        send: Any,
        danger: bool = False,
    ) -> HttpResponse | None:
        """Return the question that comes before an action on selected rows; None: it was answered.

        `sentence` says what the action means, `send` is what its button says.
        """
        if "confirmed" in request.POST:
            return None
        rows = list(queryset[: MOST_SHOWN + 1])
        count = len(rows) if len(rows) <= MOST_SHOWN else queryset.count()
        return self.page(
            request,
            "action_confirm",
            title=send,
            sentence=sentence,
            send=send,
            danger=danger,
            shown=rows[:MOST_SHOWN],
            more=max(count - MOST_SHOWN, 0),
            action=action,
            checkbox=ACTION_CHECKBOX_NAME,
            selected=request.POST.getlist(ACTION_CHECKBOX_NAME),
            select_across=request.POST.get("select_across", "0"),
            back=request.get_full_path(),
        )

    def changelist_url(self) -> str:
        return url_of(self.model, "changelist")

    def found(self, request: HttpRequest, object_id: str) -> Any:
        """Return the object that the page is about; 404 for who doesn't see it."""
        obj = self.get_object(request, object_id)
        if obj is None or not self.has_view_permission(request, obj):
            raise Http404
        return obj


class ReadOnlyAdmin(Pages):
    """Rows that only services write: they can be looked at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
