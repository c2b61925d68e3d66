"""Whether the rows that a package would make are such as the models allow; nothing is queried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import models

from apps.assessment.models import (
    AssessmentItem,
    AssessmentTemplate,
    AssessmentVersion,
    BankItem,
    QuestionBank,
    Rubric,
    RubricCriterion,
    RubricLevel,
)
from apps.assessment.questions.keys import KeyRefused, default_rule, read_key
from apps.credentials.models import CertificationTemplate, CertificationTemplateVersion
from apps.portability import content as package
from apps.portability.content.assessments import Asked
from apps.portability.faults import Fault
from apps.portability.schema import pointer
from apps.programs.models import (
    Course,
    CourseModule,
    CourseVersion,
    ModuleItem,
    Program,
    ProgramCourse,
    ProgramVersion,
)
from apps.programs.publication import is_web_address
from apps.requirements.models import (
    RequirementEdge,
    RequirementNode,
    RequirementSet,
    RequirementSetVersion,
)

MODELS: Final[Mapping[type, type[models.Model]]] = {
    package.Course: Course,
    package.CourseContent: CourseVersion,
    package.Module: CourseModule,
    package.Item: ModuleItem,
    package.Assessment: AssessmentTemplate,
    package.AssessmentContent: AssessmentVersion,
    package.Question: AssessmentItem,
    package.Rubric: Rubric,
    package.Criterion: RubricCriterion,
    package.Level: RubricLevel,
    package.Bank: QuestionBank,
    package.BankQuestion: BankItem,
    package.Program: Program,
    package.ProgramContent: ProgramVersion,
    package.Pin: ProgramCourse,
    package.RequirementSet: RequirementSet,
    package.RequirementsContent: RequirementSetVersion,
    package.Node: RequirementNode,
    package.Edge: RequirementEdge,
    package.Certification: CertificationTemplate,
    package.CertificationContent: CertificationTemplateVersion,
}
"""What each value of a package becomes: fields of one name say the same."""

# Fields that a file tells under another name.
_TOLD_AS: Final = {"body_markdown": "body"}


def plain_fields(kind: type) -> list[str]:
    """Return the fields of a value that are columns of its model: no references, no parts."""
    columns = {
        column.name for column in MODELS[kind]._meta.concrete_fields if not column.is_relation
    }
    return [field.name for field in fields(kind) if field.name in columns]


def values_of(part: Any) -> dict[str, Any]:
    """Return column -> value of everything that the part says by itself."""
    return {
        name: list(value) if isinstance(value := getattr(part, name), tuple) else value
        for name in plain_fields(type(part))
    }


def row_of(part: Any, **relations: Any) -> Any:
    """Return the unsaved row that the part becomes."""
    return MODELS[type(part)](**values_of(part), **relations)


def row_faults(content: package.PackageContent) -> Iterator[Fault]:
    """Yield what the models' own checks say about each value in the package."""
    for part in content.parts():
        yield from _faults(part, package.path_of(part), ())


def _faults(value: Any, file: str, steps: tuple[str | int, ...]) -> Iterator[Fault]:
    if type(value) in MODELS:
        yield from _own_faults(value, file, steps)
    for field in fields(value):
        inner = getattr(value, field.name)
        if is_dataclass(inner):
            yield from _faults(inner, file, (*steps, field.name))
        elif isinstance(inner, tuple):
            for number, one in enumerate(inner):
                if is_dataclass(one):
                    yield from _faults(one, file, (*steps, field.name, number))


def _own_faults(value: Any, file: str, steps: tuple[str | int, ...]) -> Iterator[Fault]:
    said = set(plain_fields(type(value)))
    if isinstance(value, Asked):
        said -= {"key_data"}
        yield from _key_faults(value, file, steps)
    row = row_of(value)
    others = {column.name for column in row._meta.concrete_fields} - said
    try:
        row.clean_fields(exclude=others)
    except ValidationError as error:
        for name, problems in error.error_dict.items():
            where = pointer(*steps, _TOLD_AS.get(name, name))
            for problem in problems:
                code = (problem.code or "invalid").replace("_", "-")
                yield Fault(file, where, code, " ".join(problem.messages))
    if isinstance(value, package.Item) and value.url and not is_web_address(value.url):
        message = "The address is http or https, with a host and without a password."
        yield Fault(file, pointer(*steps, "url"), "not-a-web-address", message)


def _key_faults(asked: Asked, file: str, steps: tuple[str | int, ...]) -> Iterator[Fault]:
    rule = asked.scoring_rule or default_rule(asked.kind)
    try:
        read_key(asked.kind, rule, asked.key_data)
    except KeyRefused as refused:
        for fault in refused.faults:
            message = f"{fault.path}: {fault.message}"
            yield Fault(file, pointer(*steps, "key_data"), fault.code, message)
