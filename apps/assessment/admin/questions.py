"""Questions with their keys, of drafts and of banks: one page for both."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.assessment.admin.imports import ImportPages
from apps.assessment.forms.keys import KeyForm
from apps.assessment.forms.questions import (
    BankItemForm,
    ItemForm,
    NewQuestionForm,
    QuestionForm,
)
from apps.assessment.models import (
    AssessmentItem,
    AssessmentTemplate,
    AssessmentVersion,
    BankItem,
    QuestionBank,
)
from apps.assessment.questions.items import KINDS, AnswerKey
from apps.assessment.questions.keys import KeyRefused
from apps.assessment.services import archive_question, import_gift
from apps.assessment.vocabulary import Kind
from apps.contacts.admin_base import (
    AuthoredAdmin,
    Section,
    actor_of,
    ended,
    refusal_of,
    tell,
    url_of,
)
from apps.core.clock import now
from apps.core.versions import NotADraft, lock_version


class QuestionPages(AuthoredAdmin):
    """The page of one question: what it says, and its answer key as the kind has it."""

    question_form: ClassVar[type[QuestionForm]]
    belongs_to: ClassVar[str]

    def parent_of(self, parent_id: UUID) -> Any:
        """Return the bank or draft that a new question is for; None where there is none."""
        raise NotImplementedError

    def beginning(self, parent: Any, kind: str) -> Any:
        """Return a new question of this kind, not saved yet."""
        raise NotImplementedError

    def hold(self, question: Any) -> None:
        """Make sure, inside the transaction, that the question may be saved."""

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Write a new question of the kind that the address names."""
        kind = request.GET.get("kind", "")
        parent = self._parent(request)
        if kind not in KINDS or parent is None or not self.has_add_permission(request):
            raise Http404
        return self._question(request, self.beginning(parent, kind), parent, verb="created")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Change a question; one of a published version is shown."""
        question = self.found(request, object_id)
        parent = getattr(question, self.belongs_to)
        return self._question(request, question, parent, verb="changed")

    def _parent(self, request: HttpRequest) -> Any:
        try:
            parent_id = UUID(request.GET.get(self.belongs_to, ""))
        except ValueError:
            return None
        return self.parent_of(parent_id)

    def _question(
        self, request: HttpRequest, question: Any, parent: Any, *, verb: str
    ) -> HttpResponse:
        may_change = self.has_change_permission(request, question)
        data = request.POST if request.method == "POST" else None
        if data is not None and not may_change:
            raise Http404
        form = self.question_form(
            data, instance=question, kind=question.kind, disabled=not may_change
        )
        key = KeyForm(question.kind, data, key=_key_of(question), disabled=not may_change)
        if data is not None and self._saved(request, question, form, key, verb):
            again = "_continue" in data
            return HttpResponseRedirect(url_of(question) if again else url_of(parent))
        return self.page(
            request,
            "question_form",
            title=_("%(kind)s in %(parent)s")
            % {"kind": Kind(question.kind).label, "parent": parent},
            form=form,
            key=key,
            back=url_of(parent),
            may_change=may_change,
            trail=[(url_of(parent), parent)],
        )

    def _saved(
        self, request: HttpRequest, question: Any, form: QuestionForm, key: KeyForm, verb: str
    ) -> bool:
        rule = form.data.get(form.add_prefix("scoring_rule"), "")
        key_is_valid = key.is_valid(rule)
        question.key_data = key.key_data
        if not (form.is_valid() and key_is_valid):
            messages.error(request, _("Mend what is marked below."))
            return False

        def work() -> None:
            self.hold(question)
            form.save()
            self.on_record(request, verb, question)

        problem = refusal_of(work)
        if problem is not None:
            tell(request, problem)
            return False
        messages.success(request, _("The question is saved."))
        return True


def _key_of(question: Any) -> AnswerKey | None:
    """Return the question's key; a new one has none yet, nor has one that can't be read."""
    try:
        key: AnswerKey = question.read_key()
    except KeyRefused:
        return None
    return key


@admin.register(AssessmentItem)
class ItemAdmin(QuestionPages):
    """The questions of versions; the version's page lists them."""

    section, place = Section.AUTHORING, 95
    listed_under = AssessmentTemplate
    question_form = ItemForm
    belongs_to = "version"
    list_display = ("title", "kind", "points", "version")
    list_filter = ("kind",)
    search_fields = ("title", "key")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("version__definition")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.version.is_draft)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Offer it on the page of a draft alone: a question belongs to one."""
        return super().has_add_permission(request) and "version" in request.GET

    def parent_of(self, parent_id: UUID) -> Any:
        drafts = AssessmentVersion.objects.select_related("definition")
        version = drafts.filter(pk=parent_id).first()
        return version if version is not None and version.is_draft else None

    def beginning(self, parent: AssessmentVersion, kind: str) -> AssessmentItem:
        last = parent.items.aggregate(last=Max("position"))["last"] or 0
        return AssessmentItem(version=parent, kind=kind, position=last + 1)

    def hold(self, question: AssessmentItem) -> None:
        if not lock_version(question.version).is_draft:
            raise NotADraft


@admin.register(BankItem)
class BankItemAdmin(QuestionPages):
    """The questions of banks."""

    section, place = Section.AUTHORING, 50
    menu = gettext_lazy("Questions of banks")
    nothing_yet = gettext_lazy("No question yet. Write one, or import a file into a bank.")
    question_form = BankItemForm
    belongs_to = "bank"
    list_display = ("title", "kind", "bank", "category", "archived_at")
    list_filter = (
        "kind",
        "bank",
        (
            "archived_at",
            ended(
                gettext_lazy("use"), no=gettext_lazy("in use"), yes=gettext_lazy("taken out of use")
            ),
        ),
    )
    search_fields = ("title", "key", "category")
    ordering = ("-id",)
    actions = ("archive",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("bank")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Write a new question; without bank and kind in the address, ask for them first."""
        if not self.has_add_permission(request):
            raise Http404
        if "bank" in request.GET or "kind" in request.GET:
            return super().add_view(request, form_url, extra_context)
        form = NewQuestionForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            chosen = form.cleaned_data
            query = urlencode({"bank": chosen["bank"].pk, "kind": chosen["kind"]})
            return HttpResponseRedirect(f"{url_of(BankItem, 'add')}?{query}")
        return self.form_page(
            request, form, title=_("A new question"), back=self.changelist_url(), send=_("Go on")
        )

    def parent_of(self, parent_id: UUID) -> Any:
        return QuestionBank.objects.filter(pk=parent_id).first()

    def beginning(self, parent: QuestionBank, kind: str) -> BankItem:
        return BankItem(bank=parent, kind=kind)

    @admin.action(
        description=gettext_lazy("Take the selected questions out of use…"), permissions=["change"]
    )
    def archive(self, request: HttpRequest, queryset: QuerySet[BankItem]) -> HttpResponse | None:
        question = self.asked(
            request,
            queryset,
            action="archive",
            sentence=_(
                "No draft can take these questions from now on; those that have a copy keep it."
            ),
            send=_("Take them out of use"),
        )
        if question is not None:
            return question

        def work() -> None:
            for item in queryset.filter(archived_at=None):
                archive_question(item=item, actor=actor_of(request), at=now())

        self.succeeded(request, work, done=_("They are out of use."))
        return None


@admin.register(QuestionBank)
class QuestionBankAdmin(ImportPages, AuthoredAdmin):
    """Banks of questions; `Import…` takes a GIFT file."""

    section, place = Section.AUTHORING, 40
    nothing_yet = gettext_lazy("No bank yet. Add one, then import questions into it.")
    list_display = ("title", "slug", "created_at")
    search_fields = ("title", "slug")
    prepopulated_fields = {"slug": ("title",)}
    change_form_template = "admin/assay/questionbank_change_form.html"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = actor_of(request)
        super().save_model(request, obj, form, change)

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        bank = kwargs.get("obj")
        if bank is not None:
            add, listed = url_of(BankItem, "add"), url_of(BankItem, "changelist")
            context["kinds"] = [
                (f"{add}?bank={bank.pk}&kind={kind.value}", kind.label) for kind in Kind
            ]
            context["questions_url"] = f"{listed}?bank__id__exact={bank.pk}"
        return super().render_change_form(request, context, *args, **kwargs)

    def bank_of(self, target: QuestionBank, form: Any) -> QuestionBank:
        return target

    def take(self, request: HttpRequest, target: QuestionBank, form: Any) -> int:
        report = import_gift(
            bank=target,
            data=form.cleaned_data["text"].encode(),
            actor=actor_of(request),
            filename=form.cleaned_data["filename"],
            encoding="utf-8",
        )
        return report.count("imported") + report.count("imported-with-changes")
