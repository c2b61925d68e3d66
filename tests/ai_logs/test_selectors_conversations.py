"""A conversation put together again: whole, or told exactly what is wrong where."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from apps.ai_logs.models import AiContent, AiInteraction, AiSession, AiSessionKey
from apps.ai_logs.selectors.conversations import State, erased_by, reconstruct
from apps.ai_logs.services.contents import sweep_orphans
from apps.ai_logs.services.erasure import UnderReview, erase_session, remove_objects
from apps.ai_logs.services.feedback import give_feedback
from apps.ai_logs.services.sessions import SessionErased
from apps.ai_logs.vocabulary import ErasureReason, Rating
from apps.contacts.models import AdminAction, Contact
from apps.core.clock import now
from apps.core.objects import SAFE_AGE, StoreUnavailable
from tests.ai_logs.factories import NOON, answered, asked, conversation, record, session, told
from tests.database import ORG_A, Server
from tests.factories import contact
from tests.object_store import S3Server, running_s3
from tests.outbox import drain

pytestmark = pytest.mark.django_db


def first_object(made: AiSession) -> AiContent:
    return AiContent.objects.filter(session=made).order_by("offset")[0]


def states(made: AiSession) -> list[State]:
    return [line.kept.state for line in reconstruct(made).lines]


def test_reconstruct_returns_the_words_their_costs_and_opinions() -> None:
    learner = contact("Ada")
    made = conversation(learner)
    answer = AiInteraction.objects.get(session=made, seq=2)
    give_feedback(interaction=answer, contact=learner, rating=Rating.THUMBS_UP, comment="Thanks")

    found = reconstruct(made)

    assert told(found.lines) == [
        ("user", "What is a permit?"),
        ("assistant", "A permit is a written permission."),
    ]
    assert [line.cost is not None for line in found.lines] == [False, True]
    [opinion] = found.lines[1].opinions
    assert (opinion.feedback.contact, opinion.feedback.rating, opinion.comment) == (
        learner,
        "thumbs_up",
        "Thanks",
    )
    assert found.is_intact


def test_reconstruct_tells_what_was_never_sent() -> None:
    made = session()
    record(made.id, answered("x"))
    AiInteraction.objects.create(session=made, seq=2, role="assistant", occurred_at=NOON)

    assert states(made) == [State.NOT_SENT, State.INTACT]
    assert reconstruct(made).is_intact


def test_reconstruct_names_the_object_that_is_gone(store: Path) -> None:
    made = conversation()
    (store / first_object(made).object_name).unlink()

    found = reconstruct(made)

    assert states(made) == [State.MISSING_OBJECT] * 2
    assert found.damage[0][1].detail == (
        f"The object {first_object(made).object_name} is not in the store."
    )
    assert not found.is_intact


def test_reconstruct_tells_which_bytes_were_changed(store: Path) -> None:
    made = conversation()
    content = first_object(made)
    path = store / content.object_name
    data = bytearray(path.read_bytes())
    data[content.offset + 20] ^= 1
    path.write_bytes(bytes(data))

    [damage] = reconstruct(made).damage

    assert states(made) == [State.CHANGED_OBJECT, State.INTACT]
    assert damage[1].detail == (
        f"The object {content.object_name} is not what was written, "
        f"at bytes 0 to {content.sealed_size}."
    )


def test_reconstruct_tells_of_an_object_that_was_cut(store: Path) -> None:
    made = conversation()
    path = store / first_object(made).object_name
    path.write_bytes(path.read_bytes()[:-1])

    assert states(made) == [State.INTACT, State.CHANGED_OBJECT]


def test_reconstruct_tells_of_swapped_objects(store: Path) -> None:
    one, other = conversation(), conversation()
    (store / first_object(one).object_name).write_bytes(
        (store / first_object(other).object_name).read_bytes()
    )

    assert states(one) == [State.CHANGED_OBJECT] * 2


def test_reconstruct_tells_of_a_key_that_is_gone_without_an_erasure() -> None:
    made = conversation()
    AiSessionKey.objects.filter(session=made).delete()

    assert states(made) == [State.MISSING_KEY] * 2
    assert not reconstruct(made).is_intact


def test_reconstruct_tells_of_rows_changed_behind_the_databases_back(
    own_database: str, server: Server
) -> None:
    made = conversation()
    record(made.id, asked("last"))
    with psycopg.connect(server.superuser_url, dbname=own_database) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute(f"SET search_path = org_{ORG_A.hex}")
        superuser.execute("UPDATE ai_interactions SET content_hash = 'x' WHERE seq = 1")
        superuser.execute("DELETE FROM ai_interactions WHERE seq = 2")

    found = reconstruct(made)

    assert states(made) == [State.CHANGED_ROW, State.INTACT]
    assert (found.missing_rows, found.is_intact) == ((2,), False)


def test_a_store_that_is_gone_is_no_damage() -> None:
    made = conversation()

    with (
        override_settings(STORAGES=S3Server("http://127.0.0.1:9").storages()),
        pytest.raises(StoreUnavailable),
    ):
        reconstruct(made)


def test_erase_session_destroys_key_and_objects_and_keeps_the_log(store: Path) -> None:
    learner, admin = contact("Ada"), contact("Boss")
    made = conversation(learner)
    answer = AiInteraction.objects.get(session=made, seq=2)
    give_feedback(interaction=answer, contact=learner, rating=Rating.THUMBS_DOWN, comment="No")
    before = list(AiInteraction.objects.values())

    erasure, is_new = erase_session(
        session=made, reason=ErasureReason.ORGANIZATION, actor=admin, note="asked by letter"
    )
    drain()

    assert is_new
    assert not AiSessionKey.objects.filter(session=made).exists()
    assert not [path for path in store.rglob("*") if path.is_file()]
    assert list(AiInteraction.objects.values()) == before
    found = reconstruct(made)
    assert [line.kept.state for line in found.lines] == [State.ERASED] * 2
    assert found.lines[1].cost is not None
    assert [one.comment for one in found.lines[1].opinions] == [""]
    assert found.erasure == erasure
    assert erased_by(erasure) == ("Boss", erasure.recorded_at)
    assert (found.is_intact, found.damage) == (False, [])
    action = AdminAction.objects.get(action="aisession.erased")
    assert (action.actor, action.entity_id, action.details) == (
        admin,
        made.id,
        {"reason": "organization", "note": "asked by letter", "contents": 2},
    )


def test_erase_session_happens_once() -> None:
    made = conversation(contact())
    first, _ = erase_session(session=made, reason=ErasureReason.RETENTION, actor=None)
    again, is_new = erase_session(session=made, reason=ErasureReason.RETENTION, actor=contact())

    assert (again, is_new) == (first, False)
    assert erased_by(first)[0] == "the organisation's retention policy"


def test_erase_session_waits_for_a_review_when_the_learner_asks() -> None:
    learner = contact()
    made = conversation(learner)
    answer = AiInteraction.objects.get(session=made, seq=2)
    give_feedback(interaction=answer, contact=learner, rating=Rating.FLAG)

    with pytest.raises(UnderReview):
        erase_session(session=made, reason=ErasureReason.LEARNER_REQUEST, actor=learner)
    erase_session(session=made, reason=ErasureReason.ORGANIZATION, actor=contact())


def test_remove_objects_leaves_a_session_that_was_not_erased(store: Path) -> None:
    made = conversation()

    assert remove_objects(made.id) == 0
    assert states(made) == [State.INTACT] * 2


def test_sweep_orphans_keeps_what_rows_name_and_removes_what_erasures_left() -> None:
    kept, erased = conversation(), conversation(contact())
    erase_session(session=erased, reason=ErasureReason.RETENTION, actor=None)

    assert sweep_orphans(at=now()) == []
    removed = sweep_orphans(at=now() + SAFE_AGE)

    assert removed == [first_object(erased).object_name]
    assert states(kept) == [State.INTACT] * 2


def test_feedback_is_revised_and_the_same_again_is_not() -> None:
    learner = contact()
    made = conversation(learner)
    answer = AiInteraction.objects.get(session=made, seq=2)

    def give(rating: str, comment: str = "") -> tuple[int, bool]:
        feedback, is_new = give_feedback(
            interaction=answer, contact=learner, rating=rating, comment=comment
        )
        return feedback.revision, is_new

    assert give(Rating.THUMBS_UP, "good") == (1, True)
    assert give(Rating.THUMBS_UP, "good") == (1, False)
    assert give(Rating.THUMBS_UP, "very good") == (2, True)
    assert give(Rating.FLAG) == (3, True)
    assert give(Rating.THUMBS_DOWN) == (4, True)
    assert give(Rating.FLAG) == (5, True)
    assert answer.safety_reviews.count() == 1
    [opinion] = reconstruct(made).lines[1].opinions
    assert (opinion.feedback.revision, opinion.comment) == (5, "")


def test_a_comment_on_an_erased_conversation_is_refused() -> None:
    learner: Contact = contact()
    made = conversation(learner)
    answer = AiInteraction.objects.get(session=made, seq=2)
    erase_session(session=made, reason=ErasureReason.RETENTION, actor=None)

    with pytest.raises(SessionErased):
        give_feedback(interaction=answer, contact=learner, rating=Rating.FLAG, comment="x")
    give_feedback(interaction=answer, contact=learner, rating=Rating.THUMBS_UP)


def test_reconstruct_takes_as_many_statements_for_long_conversations() -> None:
    made = conversation(contact())
    with CaptureQueriesContext(connection) as short:
        reconstruct(made)
    record(made.id, *(answered(f"{n}") for n in range(20)))
    with CaptureQueriesContext(connection) as long:
        reconstruct(made)

    assert len(short) == len(long) == 6


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> object:
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


def test_a_conversation_lives_and_dies_in_a_real_s3_server(s3: S3Server) -> None:
    with override_settings(STORAGES=s3.storages()):
        made = conversation(contact())
        name = first_object(made).object_name
        assert states(made) == [State.INTACT] * 2
        s3.client().put_object(Bucket="assay", Key=name, Body=b"forged")
        assert states(made) == [State.CHANGED_OBJECT] * 2
        erase_session(session=made, reason=ErasureReason.RETENTION, actor=None)
        drain()
        assert s3.client().list_objects_v2(Bucket="assay").get("KeyCount") == 0
        assert states(made) == [State.ERASED] * 2
