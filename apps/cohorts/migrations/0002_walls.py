"""Composite keys: rows about a session, an enrolment and a learner speak of the same ones."""

from django.db import migrations


def composite_key(table: str, name: str, columns: str, target: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        sql=f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {target}",
        reverse_sql=f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


class Migration(migrations.Migration):
    dependencies = [("cohorts", "0001_initial")]

    operations = [
        composite_key(
            "session_attendance_records",
            "attendance_session_of_its_cohort",
            "session_id, cohort_id",
            "program_cohort_sessions (id, cohort_id)",
        ),
        composite_key(
            "session_attendance_records",
            "attendance_enrollment_of_its_cohort",
            "enrollment_id, cohort_id",
            "cohort_enrollments (id, cohort_id)",
        ),
        composite_key(
            "session_attendance_records",
            "attendance_enrollment_of_its_learner",
            "enrollment_id, contact_id",
            "cohort_enrollments (id, contact_id)",
        ),
        composite_key(
            "progress_events",
            "progressevent_enrollment_of_its_learner",
            "enrollment_id, contact_id",
            "cohort_enrollments (id, contact_id)",
        ),
    ]
