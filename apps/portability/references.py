"""Whether all that a package refers to is in it, and all in it is referred to. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from apps.portability.content import (
    Assessment,
    AssessmentContent,
    Certification,
    Course,
    Item,
    PackageContent,
    Program,
    RequirementSet,
    kind_of,
    path_of,
)
from apps.portability.content.programs import Edge, Node
from apps.portability.faults import Fault
from apps.portability.schema import pointer
from apps.portability.vocabulary import PackageKind, PartKind
from apps.requirements.kinds import edge_misfits, node_misfits

_IN_A_COURSE = {PartKind.COURSE, PartKind.ASSESSMENT, PartKind.BANK}


class _Index:
    """What there is to refer to."""

    def __init__(self, content: PackageContent) -> None:
        self.content = content
        self.courses = {course.slug: course for course in content.courses}
        self.editions = {
            (assessment.slug, edition.edition)
            for assessment in content.assessments
            for edition in assessment.editions
        }
        self.assessments = {assessment.slug for assessment in content.assessments}
        self.questions = {(b.slug, q.key) for b in content.banks for q in b.questions}
        self.programs = {program.slug for program in content.programs}
        self.sets = {one.slug for one in content.requirement_sets}
        self.used: set[tuple[PartKind, str]] = set()

    def use(self, kind: PartKind, slug: str) -> None:
        self.used.add((kind, slug))


def reference_faults(content: PackageContent) -> list[Fault]:
    """Return every dangling reference, repeated key and part that nothing leads to."""
    index = _Index(content)
    index.use(kind_of(content.root_part), content.root)
    faults: list[Fault] = []
    for course in content.courses:
        faults += _course_faults(course, index)
    for assessment in content.assessments:
        faults += _assessment_faults(assessment, index)
    for bank in content.banks:
        faults += repeated(path_of(bank), (q.key for q in bank.questions), "questions")
    for program in content.programs:
        faults += _program_faults(program, index)
    for requirements in content.requirement_sets:
        faults += _requirement_faults(requirements, index)
    for certification in content.certifications:
        faults += _certification_faults(certification, index)
    return [*faults, *_idle_parts(index)]


def repeated(file: str, keys: Iterable[str], *steps: str | int) -> Iterator[Fault]:
    """Yield each place where a key stands that stood before."""
    seen: set[str] = set()
    for number, key in enumerate(keys):
        if key in seen:
            message = f"“{key}” stands here twice."
            yield Fault(file, pointer(*steps, number), "repeated-key", message)
        seen.add(key)


def _missing(file: str, what: str, *steps: str | int) -> Fault:
    return Fault(file, pointer(*steps), "dangling", f"{what} is not in the package.")


def _course_faults(course: Course, index: _Index) -> Iterator[Fault]:
    file = path_of(course)
    modules = course.content.modules
    yield from repeated(file, (module.key for module in modules), "content", "modules")
    seen: set[str] = set()
    for number, module in enumerate(modules):
        for place, item in enumerate(module.items):
            steps = ("content", "modules", number, "items", place)
            if item.key in seen:
                message = f"“{item.key}” stands in this course twice."
                yield Fault(file, pointer(*steps, "key"), "repeated-key", message)
            seen.add(item.key)
            yield from _item_faults(file, item, steps, index)


def _item_faults(
    file: str, item: Item, steps: tuple[str | int, ...], index: _Index
) -> Iterator[Fault]:
    placed = item.assessment
    where = pointer(*steps, "assessment")
    if item.type != "assessment":
        if placed is not None:
            message = "Only an item of the type assessment stands for an assessment."
            yield Fault(file, where, "not-an-assessment-item", message)
        return
    if placed is None:
        message = "It is not said which assessment this item stands for."
        yield Fault(file, where, "assessment-not-placed", message)
        return
    index.use(PartKind.ASSESSMENT, placed.slug)
    if (placed.slug, placed.edition) not in index.editions:
        what = f"Edition {placed.edition} of the assessment “{placed.slug}”"
        yield _missing(file, what, *steps, "assessment")


def _assessment_faults(assessment: Assessment, index: _Index) -> Iterator[Fault]:
    file = path_of(assessment)
    if assessment.course is not None and assessment.course not in index.courses:
        yield _missing(file, f"The course “{assessment.course}”", "course")
    numbers = [edition.edition for edition in assessment.editions]
    if sorted(numbers) != list(range(1, len(numbers) + 1)):
        message = "Editions are numbered from 1, each number once."
        yield Fault(file, "/editions", "editions-not-numbered", message)
    for number, edition in enumerate(assessment.editions):
        yield from _edition_faults(file, edition.content, number, index)


def _edition_faults(
    file: str, content: AssessmentContent, number: int, index: _Index
) -> Iterator[Fault]:
    steps = ("editions", number, "content")
    yield from repeated(file, (one.key for one in content.rubrics), *steps, "rubrics")
    yield from repeated(file, (one.key for one in content.items), *steps, "items")
    criteria = [criterion for rubric in content.rubrics for criterion in rubric.criteria]
    levels = [level for criterion in criteria for level in criterion.levels]
    for what, keys in (
        ("criterion", Counter(criterion.key for criterion in criteria)),
        ("level", Counter(level.key for level in levels)),
    ):
        for key in sorted(key for key, times in keys.items() if times > 1):
            message = f"The {what} “{key}” stands in this edition twice."
            yield Fault(file, pointer(*steps, "rubrics"), "repeated-key", message)
    rubrics = {rubric.key for rubric in content.rubrics}
    for place, item in enumerate(content.items):
        if item.rubric is not None and item.rubric not in rubrics:
            yield _missing(file, f"The rubric “{item.rubric}”", *steps, "items", place, "rubric")
        if item.bank_item is None:
            continue
        source = item.bank_item
        index.use(PartKind.BANK, source.bank)
        if (source.bank, source.key) not in index.questions:
            what = f"The question “{source.key}” of the bank “{source.bank}”"
            yield _missing(file, what, *steps, "items", place, "bank_item")


def _program_faults(program: Program, index: _Index) -> Iterator[Fault]:
    file = path_of(program)
    pins = program.content.courses
    yield from repeated(file, (pin.course for pin in pins), "content", "courses")
    for number, pin in enumerate(pins):
        index.use(PartKind.COURSE, pin.course)
        if pin.course not in index.courses:
            what = f"The course “{pin.course}”"
            yield _missing(file, what, "content", "courses", number, "course")


def _requirement_faults(requirements: RequirementSet, index: _Index) -> Iterator[Fault]:
    file = path_of(requirements)
    if requirements.program not in index.programs:
        yield _missing(file, f"The program “{requirements.program}”", "program")
    else:
        index.use(PartKind.REQUIREMENT_SET, requirements.slug)
    nodes = requirements.content.nodes
    yield from repeated(file, (node.key for node in nodes), "content", "nodes")
    for number, node in enumerate(nodes):
        yield from _node_faults(file, node, number, index)
    yield from _edge_faults(file, requirements)


def _edge_faults(file: str, requirements: RequirementSet) -> Iterator[Fault]:
    known = {node.key for node in requirements.content.nodes}
    drawn: set[Edge] = set()
    for number, edge in enumerate(requirements.content.edges):
        steps = ("content", "edges", number)
        for end, key in (("source", edge.source), ("target", edge.target)):
            if key not in known:
                yield _missing(file, f"The requirement “{key}”", *steps, end)
        if edge in drawn:
            yield Fault(file, pointer(*steps), "repeated-key", "This edge is drawn twice.")
        drawn.add(edge)
        for misfit in edge_misfits(asdict(edge)):
            path = pointer(*steps, misfit.field)
            yield Fault(file, path, misfit.code, str(misfit.message))


def _node_faults(file: str, node: Node, number: int, index: _Index) -> Iterator[Fault]:
    steps = ("content", "nodes", number)
    for misfit in node_misfits(asdict(node)):
        yield Fault(file, pointer(*steps, misfit.field), misfit.code, str(misfit.message))
    if node.assessment is not None:
        index.use(PartKind.ASSESSMENT, node.assessment)
        if node.assessment not in index.assessments:
            yield _missing(file, f"The assessment “{node.assessment}”", *steps, "assessment")
    if node.course is None:
        return
    course = index.courses.get(node.course)
    if course is None:
        yield _missing(file, f"The course “{node.course}”", *steps, "course")
        return
    modules = {module.key for module in course.content.modules}
    items = {item.key for module in course.content.modules for item in module.items}
    if node.module_key and node.module_key not in modules:
        yield _missing(file, f"The module “{node.module_key}”", *steps, "module_key")
    if node.item_key and node.item_key not in items:
        yield _missing(file, f"The item “{node.item_key}”", *steps, "item_key")


def _certification_faults(certification: Certification, index: _Index) -> Iterator[Fault]:
    file = path_of(certification)
    if certification.program not in index.programs:
        yield _missing(file, f"The program “{certification.program}”", "program")
    else:
        index.use(PartKind.CERTIFICATION, certification.slug)
    asked = certification.content.requirement_set
    if asked not in index.sets:
        yield _missing(file, f"The requirement set “{asked}”", "content", "requirement_set")


def _idle_parts(index: _Index) -> Iterator[Fault]:
    """Yield parts that the package's subject does not lead to: they would come in unseen."""
    is_course = index.content.kind == PackageKind.COURSE
    for part in index.content.parts():
        kind = kind_of(part)
        if is_course and kind not in _IN_A_COURSE:
            message = "A package about a course holds nothing of this kind."
            yield Fault(path_of(part), "", "out-of-place", message)
        elif (kind, part.slug) not in index.used:
            message = f"Nothing in the package leads to this {kind.label}."
            yield Fault(path_of(part), "", "unreferenced", message)
