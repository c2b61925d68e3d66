"""A page that takes questions in GIFT: first the report, then the import."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.assessment.forms.imports import GiftForm
from apps.assessment.models import QuestionBank
from apps.assessment.services import preview_gift
from apps.assessment.services.imports import BankImport
from apps.contacts.admin_base import Pages, refusal_of, tell, url_of


class ImportPages(Pages):
    """`…/import/` of a bank or a draft."""

    import_form: ClassVar[type[GiftForm]] = GiftForm

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_import"
        view = self.admin_site.admin_view(self.import_view)
        return [path("<path:object_id>/import/", view, name=name), *super().get_urls()]

    def import_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Report on the questions; import them once the author has seen that and says so."""
        target = self.found(request, object_id)
        if not self.has_change_permission(request, target):
            raise Http404
        sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
        form = self.import_form(*sent)
        report: BankImport | None = None
        if request.method == "POST" and form.is_valid():
            if "take" in request.POST:
                taken = self._take(request, target, form)
                if taken is not None:
                    return taken
            report = self._preview(request, target, form)
            form = self._with_text(form)
        return self.page(
            request,
            "gift_import",
            title=_("Questions for %s") % target,
            form=form,
            report=report,
            back=url_of(target),
            about=target,
        )

    def bank_of(self, target: Any, form: Any) -> QuestionBank:
        """Return the bank that keeps the questions."""
        raise NotImplementedError

    def take(self, request: HttpRequest, target: Any, form: Any) -> int:
        """Import, and return how many questions that made."""
        raise NotImplementedError

    def _take(self, request: HttpRequest, target: Any, form: GiftForm) -> HttpResponse | None:
        taken: list[int] = []
        problem = refusal_of(lambda: taken.append(self.take(request, target, form)))
        if problem is not None:
            tell(request, problem)
            return None
        done = ngettext("%d new question.", "%d new questions.", taken[0]) % taken[0]
        messages.success(request, done)
        return HttpResponseRedirect(url_of(target))

    def _preview(self, request: HttpRequest, target: Any, form: GiftForm) -> BankImport | None:
        seen: list[BankImport] = []
        bank, data = self.bank_of(target, form), form.cleaned_data["text"].encode()
        problem = refusal_of(
            lambda: seen.append(preview_gift(bank=bank, data=data, encoding="utf-8"))
        )
        if problem is not None:
            tell(request, problem)
        return seen[0] if seen else None

    def _with_text(self, form: GiftForm) -> GiftForm:
        """Return the form with the file's text in its field: a browser sends no file twice."""
        names = ("text", "filename", "bank")
        initial = {name: form.cleaned_data[name] for name in names if name in form.cleaned_data}
        return self.import_form(initial=initial)
