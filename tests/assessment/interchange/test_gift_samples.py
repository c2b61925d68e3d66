import pytest

from apps.assessment.interchange.gift import read_gift
from tests.assessment.interchange.gift_expectations import (
    SAMPLES,
    comparable,
    expected_of,
    sample_names,
)

pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason=f"no GIFT samples at {SAMPLES}; set ASSAY_SAMPLES"
)


@pytest.mark.parametrize("name", sample_names())
def test_read_gift_reads_what_the_sample_promises(name: str) -> None:
    report = read_gift((SAMPLES / f"{name}.gift").read_bytes())

    read = (
        tuple(category.path for category in report.categories),
        tuple(comparable(item) for item in report.items),
    )
    assert read == expected_of(name)


@pytest.mark.parametrize("name", sample_names())
def test_read_gift_refuses_and_changes_nothing_in_a_sample(name: str) -> None:
    report = read_gift((SAMPLES / f"{name}.gift").read_bytes())

    assert report.problem is None
    assert [q for q in report.questions if q.refusal is not None or q.changes] == []


def test_read_gift_reads_a_sample_alike_in_every_encoding() -> None:
    text = (SAMPLES / "mcHTMLComment.gift").read_text("utf-8")
    expected = read_gift(text.encode("utf-8")).items

    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"):
        assert read_gift(text.encode(encoding)).items == expected
