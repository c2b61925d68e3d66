"""Composite keys: a fact speaks of the learner, cohort and session that it names together."""

from django.db import migrations


def composite_key(table: str, name: str, columns: str, target: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        sql=f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {target}",
        reverse_sql=f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


def of_its_enrollment(name: str) -> list[migrations.RunSQL]:
    return [
        composite_key(
            f"fact_{name}",
            f"fact{name}_enrollment_of_its_{column}",
            f"enrollment_id, {column}_id",
            f"cohort_enrollments (id, {column}_id)",
        )
        for column in ("contact", "cohort")
    ]


# What is there already has no facts yet: each enrolment is owed a step, which writes them.
OWE_FACTS = """
INSERT INTO outbox_messages (id, topic, key, payload, attempts, last_error)
SELECT gen_random_uuid(), 'learner.advance', id::text, '{}', 0, ''
FROM cohort_enrollments WHERE enrolled_at IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0001_initial"),
        ("core", "0002_stored_objects"),
    ]

    operations = [
        *of_its_enrollment("attendance"),
        *of_its_enrollment("assessment"),
        *of_its_enrollment("progress"),
        composite_key(
            "fact_attendance",
            "factattendance_session_of_its_cohort",
            "session_id, cohort_id",
            "program_cohort_sessions (id, cohort_id)",
        ),
        composite_key(
            "fact_assessment",
            "factassessment_attempt_of_its_learner",
            "attempt_id, contact_id",
            "assessment_attempts (id, contact_id)",
        ),
        migrations.RunSQL(OWE_FACTS, migrations.RunSQL.noop),
    ]
