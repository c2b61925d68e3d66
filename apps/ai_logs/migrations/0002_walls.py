"""What Django cannot say: one session for a message, its text and its call; what is said once."""

from django.db import migrations


def composite_key(table: str, name: str, columns: str, target: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        sql=f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {target}",
        reverse_sql=f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


# Arguments: the columns that may be set, once each. Everything else stays as it was written.
SAID_ONCE = """
CREATE FUNCTION ai_logs_said_once() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before jsonb := to_jsonb(OLD);
    after jsonb;
    name text;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'nothing is deleted from %', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    after := to_jsonb(NEW);
    IF before - TG_ARGV IS DISTINCT FROM after - TG_ARGV THEN
        RAISE EXCEPTION '% refused in %: it stays as it was written', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    FOREACH name IN ARRAY TG_ARGV LOOP
        IF before ->> name IS NOT NULL AND before -> name IS DISTINCT FROM after -> name THEN
            RAISE EXCEPTION '% refused in %: % is set', TG_OP, TG_TABLE_NAME, name
                USING ERRCODE = 'restrict_violation';
        END IF;
    END LOOP;
    RETURN NEW;
END $$;
CREATE TRIGGER aisession_said_once BEFORE UPDATE OR DELETE ON ai_sessions
    FOR EACH ROW EXECUTE FUNCTION ai_logs_said_once(
        'contact_id', 'enrollment_id', 'module_item_id', 'ended_at');
"""
SAID_ONCE_REVERSE = """
DROP TRIGGER aisession_said_once ON ai_sessions;
DROP FUNCTION ai_logs_said_once();
"""

# A session that was erased gets no key again, and no text.
ERASED = """
CREATE FUNCTION ai_logs_not_erased() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    erased boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.ai_erasures WHERE session_id = $1)',
                   TG_TABLE_SCHEMA) INTO erased USING NEW.session_id;
    IF erased THEN
        RAISE EXCEPTION '% refused in %: the session was erased', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER aisessionkey_not_erased BEFORE INSERT ON ai_session_keys
    FOR EACH ROW EXECUTE FUNCTION ai_logs_not_erased();
CREATE TRIGGER aicontent_not_erased BEFORE INSERT ON ai_contents
    FOR EACH ROW EXECUTE FUNCTION ai_logs_not_erased();
"""
ERASED_REVERSE = """
DROP TRIGGER aicontent_not_erased ON ai_contents;
DROP TRIGGER aisessionkey_not_erased ON ai_session_keys;
DROP FUNCTION ai_logs_not_erased();
"""

# What was decided about a flagged interaction is final, and so is what it was about.
REVIEWED = """
CREATE FUNCTION ai_logs_review_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state = 'decided' THEN
        RAISE EXCEPTION '% refused in %: the review is %', TG_OP, TG_TABLE_NAME, OLD.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.id, NEW.interaction_id, NEW.feedback_id, NEW.opened_at)
       IS DISTINCT FROM (OLD.id, OLD.interaction_id, OLD.feedback_id, OLD.opened_at)
    THEN
        RAISE EXCEPTION '% refused in %: what it is about is fixed', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER aisafetyreview_moves BEFORE UPDATE OR DELETE ON ai_safety_reviews
    FOR EACH ROW EXECUTE FUNCTION ai_logs_review_moves();
"""
REVIEWED_REVERSE = """
DROP TRIGGER aisafetyreview_moves ON ai_safety_reviews;
DROP FUNCTION ai_logs_review_moves();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ai_logs", "0001_initial"),
        ("cohorts", "0002_walls"),
    ]

    operations = [
        composite_key(
            "ai_sessions",
            "aisession_enrollment_of_its_contact",
            "enrollment_id, contact_id",
            "cohort_enrollments (id, contact_id)",
        ),
        composite_key(
            "ai_interactions",
            "aiinteraction_content_of_its_session",
            "content_id, session_id, content_hash",
            "ai_contents (id, session_id, hmac)",
        ),
        composite_key(
            "ai_interactions",
            "aiinteraction_call_of_its_session",
            "call_id, session_id",
            "ai_interactions (id, session_id)",
        ),
        composite_key(
            "ai_contents",
            "aicontent_interaction_of_its_session",
            "interaction_id, session_id",
            "ai_interactions (id, session_id)",
        ),
        migrations.RunSQL(sql=SAID_ONCE, reverse_sql=SAID_ONCE_REVERSE),
        migrations.RunSQL(sql=ERASED, reverse_sql=ERASED_REVERSE),
        migrations.RunSQL(sql=REVIEWED, reverse_sql=REVIEWED_REVERSE),
    ]
