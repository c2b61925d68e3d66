"""What Django cannot say: composite keys, the states of an attempt, no use of a draft."""

from django.db import migrations


def composite_key(table: str, name: str, columns: str, target: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        sql=f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {target}",
        reverse_sql=f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


# What an attempt was taken under never changes, and its status moves one way.
ATTEMPT_MOVES = """
CREATE FUNCTION assessment_attempt_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.enrollment_id, NEW.contact_id, NEW.template_id, NEW.version_id, NEW.attempt_no,
        NEW.started_at, NEW.ends_at, NEW.accepts_until, NEW.seed, NEW.item_order, NEW.policy)
       IS DISTINCT FROM
       (OLD.id, OLD.enrollment_id, OLD.contact_id, OLD.template_id, OLD.version_id, OLD.attempt_no,
        OLD.started_at, OLD.ends_at, OLD.accepts_until, OLD.seed, OLD.item_order, OLD.policy)
    THEN
        RAISE EXCEPTION 'attempt %: what it was taken under is frozen', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.status <> OLD.status
       AND (OLD.status, NEW.status) NOT IN (
           ('in_progress', 'submitted'), ('submitted', 'graded'),
           ('in_progress', 'void'), ('submitted', 'void'), ('graded', 'void'))
    THEN
        RAISE EXCEPTION 'attempt %: % cannot become %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.submitted_at IS NOT NULL
       AND (NEW.submitted_at, NEW.closed_by_server)
           IS DISTINCT FROM (OLD.submitted_at, OLD.closed_by_server)
    THEN
        RAISE EXCEPTION 'attempt %: when it was submitted is frozen', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER attempt_moves BEFORE UPDATE ON assessment_attempts
    FOR EACH ROW EXECUTE FUNCTION assessment_attempt_moves();
"""

# A version never returns to draft, so looking once, when it is used, is enough.
NO_DRAFT = """
CREATE FUNCTION assessment_no_draft() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    state text;
BEGIN
    EXECUTE format('SELECT status FROM %I.assessment_versions WHERE id = $1', TG_TABLE_SCHEMA)
        INTO state USING (to_jsonb(NEW) ->> TG_ARGV[0])::uuid;
    IF state = 'draft' THEN
        RAISE EXCEPTION '% refused in %: the assessment is a draft', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER attempt_of_no_draft BEFORE INSERT ON assessment_attempts
    FOR EACH ROW EXECUTE FUNCTION assessment_no_draft('version_id');
CREATE TRIGGER placement_of_no_draft BEFORE INSERT OR UPDATE ON assessment_placements
    FOR EACH ROW EXECUTE FUNCTION assessment_no_draft('assessment_version_id');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("assessment", "0001_initial"),
        ("cohorts", "0002_walls"),
        ("programs", "0002_walls"),
    ]

    operations = [
        composite_key(
            "rubric_criteria",
            "rubriccriterion_rubric_of_its_version",
            "rubric_id, version_id",
            "rubrics (id, version_id)",
        ),
        composite_key(
            "rubric_levels",
            "rubriclevel_criterion_of_its_version",
            "criterion_id, version_id",
            "rubric_criteria (id, version_id)",
        ),
        composite_key(
            "assessment_items",
            "assessmentitem_rubric_of_its_version",
            "rubric_id, version_id",
            "rubrics (id, version_id)",
        ),
        composite_key(
            "assessment_placements",
            "placement_item_of_its_version",
            "module_item_id, version_id",
            "module_items (id, version_id)",
        ),
        composite_key(
            "assessment_attempts",
            "attempt_enrollment_of_its_learner",
            "enrollment_id, contact_id",
            "cohort_enrollments (id, contact_id)",
        ),
        composite_key(
            "assessment_attempts",
            "attempt_version_of_its_template",
            "version_id, template_id",
            "assessment_versions (id, definition_id)",
        ),
        composite_key(
            "assessment_responses",
            "response_attempt_of_its_version",
            "attempt_id, version_id",
            "assessment_attempts (id, version_id)",
        ),
        composite_key(
            "assessment_responses",
            "response_item_of_its_version",
            "item_id, version_id",
            "assessment_items (id, version_id)",
        ),
        composite_key(
            "grading_tasks",
            "gradingtask_attempt_of_its_version",
            "attempt_id, version_id",
            "assessment_attempts (id, version_id)",
        ),
        composite_key(
            "grading_tasks",
            "gradingtask_item_of_its_version",
            "item_id, version_id",
            "assessment_items (id, version_id)",
        ),
        composite_key(
            "grading_events",
            "gradingevent_attempt_of_its_learner",
            "attempt_id, contact_id",
            "assessment_attempts (id, contact_id)",
        ),
        composite_key(
            "grading_events",
            "gradingevent_attempt_of_its_version",
            "attempt_id, version_id",
            "assessment_attempts (id, version_id)",
        ),
        composite_key(
            "grading_events",
            "gradingevent_item_of_its_version",
            "item_id, version_id",
            "assessment_items (id, version_id)",
        ),
        migrations.RunSQL(
            sql=ATTEMPT_MOVES,
            reverse_sql="DROP FUNCTION assessment_attempt_moves() CASCADE",
        ),
        migrations.RunSQL(
            sql=NO_DRAFT,
            reverse_sql="DROP FUNCTION assessment_no_draft() CASCADE",
        ),
    ]
