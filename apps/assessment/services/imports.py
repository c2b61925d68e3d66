"""Taking questions from files of other systems into a bank, with a report line for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.utils.text import slugify

from apps.assessment.interchange.gift import read_gift
from apps.assessment.interchange.report import ImportReport, Outcome, QuestionReport
from apps.assessment.models import AssessmentItem, AssessmentVersion, BankItem, QuestionBank
from apps.assessment.rules.adoption import AdoptedQuestion, NotAdoptable, adopt
from apps.assessment.services.authoring import copy_from_bank, free_key
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.problems import Invalid

UNCHANGED = "unchanged"
"""The bank has exactly this question already: it is not taken a second time."""

_KEY_LENGTH = 80
_BATCH = 1_000


class FileNotReadable(Invalid):
    code = "file-not-readable"
    title = "No question could be read from this file."


@dataclass(frozen=True)
class ImportedQuestion:
    """What became of one question of the file. `notes` are what was changed, or why refused."""

    line: int
    outcome: str
    title: str
    notes: tuple[str, ...] = ()
    code: str = ""


@dataclass(frozen=True)
class BankImport:
    """The report of an import, question by question; `encoding` is how the file was read."""

    encoding: str
    encoding_guessed: bool
    questions: tuple[ImportedQuestion, ...]

    def count(self, outcome: str) -> int:
        return sum(question.outcome == outcome for question in self.questions)


@dataclass(frozen=True)
class _Taken:
    """A question of the file with what it becomes, or None where it is refused."""

    report: ImportedQuestion
    adopted: AdoptedQuestion | None


def preview_gift(
    *, bank: QuestionBank | None, data: bytes, encoding: str | None = None
) -> BankImport:
    """Return the report that an import of this GIFT file would give; nothing is written.

    Raises FileNotReadable when nothing of the file can be read.
    """
    report = _readable(data, encoding)
    return _as_report(report, list(_taken(report, _known_digests(bank))))


@transaction.atomic
def import_gift(
    *,
    bank: QuestionBank,
    data: bytes,
    actor: Contact | None,
    filename: str = "",
    encoding: str | None = None,
) -> BankImport:
    """Return the report, after adding to the bank what could be taken and is not there yet.

    What would not score as its source says is refused, with line and reason; the rest of the file
    is imported all the same. Raises FileNotReadable.
    """
    report, _ = _import(bank, data, actor=actor, filename=filename, encoding=encoding)
    return report


@transaction.atomic
def import_gift_into_version(
    *,
    version: AssessmentVersion,
    bank: QuestionBank,
    data: bytes,
    actor: Contact | None,
    filename: str = "",
    encoding: str | None = None,
) -> tuple[BankImport, list[AssessmentItem]]:
    """Return the report and the draft's new items: every question of the file, from the bank.

    What the bank had already is copied too, unless the draft has its copy. Raises
    FileNotReadable, NotADraft.
    """
    report, digests = _import(bank, data, actor=actor, filename=filename, encoding=encoding)
    copied = version.items.filter(bank_item__isnull=False).values("bank_item_id")
    found = BankItem.objects.filter(bank=bank, archived_at=None, source__digest__in=digests)
    by_digest = {item.source["digest"]: item for item in found.exclude(id__in=copied)}
    wanted = [by_digest[digest] for digest in digests if digest in by_digest]
    return report, copy_from_bank(version=version, items=wanted)


def _import(
    bank: QuestionBank, data: bytes, *, actor: Contact | None, filename: str, encoding: str | None
) -> tuple[BankImport, list[str]]:
    """Return the report, and the digests of what the bank now has, in the file's order."""
    report = _readable(data, encoding)
    taken = list(_taken(report, _known_digests(bank)))
    keys = set(BankItem.objects.filter(bank=bank).values_list("key", flat=True))
    BankItem.objects.bulk_create(
        (
            _bank_item(bank, one.adopted, keys, line=one.report.line, filename=filename)
            for one in taken
            if one.adopted is not None and one.report.outcome != UNCHANGED
        ),
        batch_size=_BATCH,
    )
    outcome = _as_report(report, taken)
    record_admin_action(
        actor=actor,
        action="assessment.bank_imported",
        entity=bank,
        details={
            "file": filename[:200],
            "outcomes": {name: outcome.count(name) for name in (*map(str, Outcome), UNCHANGED)},
        },
    )
    digests = dict.fromkeys(one.adopted.digest for one in taken if one.adopted is not None)
    return outcome, list(digests)


def _readable(data: bytes, encoding: str | None) -> ImportReport:
    report = read_gift(data, encoding=encoding)
    if report.problem is not None:
        raise FileNotReadable(detail=report.problem.message, reason=report.problem.code)
    return report


def _known_digests(bank: QuestionBank | None) -> set[str]:
    if bank is None:
        return set()
    known = BankItem.objects.filter(bank=bank, archived_at=None)
    return set(known.values_list("source__digest", flat=True))


def _taken(report: ImportReport, digests: set[str]) -> Iterator[_Taken]:
    for question in report.questions:
        if question.item is None:
            yield _Taken(_refused(question), None)
            continue
        try:
            adopted = adopt(question.item)
        except NotAdoptable as refusal:
            title = question.item.title or ""
            yield _Taken(
                ImportedQuestion(
                    question.line, Outcome.REFUSED, title, (refusal.message,), refusal.code
                ),
                None,
            )
            continue
        is_known = adopted.digest in digests
        digests.add(adopted.digest)
        yield _Taken(
            ImportedQuestion(
                line=question.line,
                outcome=UNCHANGED if is_known else str(question.outcome),
                title=adopted.title,
                notes=tuple(f"Line {note.line}: {note.message}" for note in question.changes),
            ),
            adopted,
        )


def _refused(question: QuestionReport) -> ImportedQuestion:
    refusal = question.refusal
    return ImportedQuestion(
        line=refusal.line if refusal else question.line,
        outcome=Outcome.REFUSED,
        title="",
        notes=(refusal.message,) if refusal else (),
        code=refusal.code if refusal else "",
    )


def _bank_item(
    bank: QuestionBank, adopted: AdoptedQuestion, keys: set[str], *, line: int, filename: str
) -> BankItem:
    wanted = slugify(adopted.title)[:_KEY_LENGTH].strip("-_") or "question"
    return BankItem(
        bank=bank,
        key=free_key(wanted, keys),
        kind=adopted.kind,
        title=adopted.title,
        prompt_markdown=adopted.prompt_markdown,
        points=adopted.points,
        key_data=adopted.key_data,
        scoring_rule=adopted.rule,
        graded_by=adopted.graded_by,
        feedback_markdown=adopted.feedback_markdown,
        category=adopted.category,
        tags=[*adopted.tags],
        source={
            "format": "gift",
            "file": filename[:200],
            "line": line,
            "external_id": adopted.external_id,
            "digest": adopted.digest,
        },
    )


def _as_report(report: ImportReport, taken: list[_Taken]) -> BankImport:
    return BankImport(
        encoding=report.encoding or "",
        encoding_guessed=report.encoding_guessed,
        questions=tuple(one.report for one in taken),
    )
