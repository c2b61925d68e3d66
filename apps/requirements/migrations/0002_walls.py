"""What Django cannot say: composite keys, evidence before the decision, no use of a draft."""

from django.db import migrations


def composite_key(table: str, name: str, columns: str, target: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        sql=f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {target}",
        reverse_sql=f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


# A version never returns to draft, so looking once, when it is used, is enough.
NO_DRAFT = """
CREATE FUNCTION requirements_no_draft() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    state text;
BEGIN
    EXECUTE format('SELECT status FROM %I.requirement_set_versions WHERE id = $1', TG_TABLE_SCHEMA)
        INTO state USING NEW.set_version_id;
    IF state = 'draft' THEN
        RAISE EXCEPTION '% refused in %: the requirement set is a draft', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER assignment_of_no_draft BEFORE INSERT ON requirement_assignments
    FOR EACH ROW EXECUTE FUNCTION requirements_no_draft();
CREATE TRIGGER evaluation_of_no_draft BEFORE INSERT ON requirement_evaluations
    FOR EACH ROW EXECUTE FUNCTION requirements_no_draft();
"""
NO_DRAFT_REVERSE = """
DROP TRIGGER evaluation_of_no_draft ON requirement_evaluations;
DROP TRIGGER assignment_of_no_draft ON requirement_assignments;
DROP FUNCTION requirements_no_draft();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("requirements", "0001_initial"),
        ("assessment", "0002_walls"),
        ("cohorts", "0002_walls"),
    ]

    operations = [
        composite_key(
            "requirement_evaluations",
            "requirementevaluation_rests_on_evidence",
            "id, primary_evidence_id",
            "requirement_evidence_links (evaluation_id, id)",
        ),
        composite_key(
            "requirement_evaluations",
            "requirementevaluation_enrollment_of_its_learner",
            "enrollment_id, contact_id",
            "cohort_enrollments (id, contact_id)",
        ),
        composite_key(
            "requirement_evaluations",
            "requirementevaluation_node_of_its_version",
            "node_id, set_version_id",
            "requirement_nodes (id, version_id)",
        ),
        composite_key(
            "requirement_edges",
            "requirementedge_source_of_its_version",
            "source_id, version_id",
            "requirement_nodes (id, version_id) ON DELETE CASCADE",
        ),
        composite_key(
            "requirement_edges",
            "requirementedge_target_of_its_version",
            "target_id, version_id",
            "requirement_nodes (id, version_id) ON DELETE CASCADE",
        ),
        composite_key(
            "requirement_assignments",
            "requirementassignment_version_of_its_set",
            "set_version_id, requirement_set_id",
            "requirement_set_versions (id, definition_id)",
        ),
        composite_key(
            "requirement_assignments",
            "requirementassignment_purpose_of_its_set",
            "requirement_set_id, purpose",
            "requirement_sets (id, purpose)",
        ),
        composite_key(
            "requirement_signoffs",
            "signoff_enrollment_of_its_learner",
            "enrollment_id, contact_id",
            "cohort_enrollments (id, contact_id)",
        ),
        composite_key(
            "requirement_waivers",
            "waiver_enrollment_of_its_learner",
            "enrollment_id, contact_id",
            "cohort_enrollments (id, contact_id)",
        ),
        migrations.RunSQL(sql=NO_DRAFT, reverse_sql=NO_DRAFT_REVERSE),
    ]
