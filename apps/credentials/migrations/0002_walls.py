"""What Django cannot say: composite keys, what may change and when, no use of a draft."""

from django.db import migrations


def composite_key(table: str, name: str, columns: str, target: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        sql=f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {target}",
        reverse_sql=f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


# Arguments: the columns that may change. Once the first of them is set the row is final, and a
# time among the others is set only once. Nothing is deleted.
LIFECYCLE = """
CREATE FUNCTION credentials_lifecycle() RETURNS trigger LANGUAGE plpgsql AS $$
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
        RAISE EXCEPTION '% refused in %: only its lifecycle may change', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF before ->> TG_ARGV[0] IS NOT NULL AND before IS DISTINCT FROM after THEN
        RAISE EXCEPTION '% refused in %: it is final since %',
            TG_OP, TG_TABLE_NAME, before ->> TG_ARGV[0] USING ERRCODE = 'restrict_violation';
    END IF;
    FOREACH name IN ARRAY TG_ARGV LOOP
        IF name LIKE '%\\_at' AND before ->> name IS NOT NULL
            AND before -> name IS DISTINCT FROM after -> name
        THEN
            RAISE EXCEPTION '% refused in %: % is set', TG_OP, TG_TABLE_NAME, name
                USING ERRCODE = 'restrict_violation';
        END IF;
    END LOOP;
    RETURN NEW;
END $$;
CREATE TRIGGER award_lifecycle BEFORE UPDATE OR DELETE ON certification_awards
    FOR EACH ROW EXECUTE FUNCTION credentials_lifecycle('revoked_at');
CREATE TRIGGER hold_lifecycle BEFORE UPDATE OR DELETE ON award_holds
    FOR EACH ROW EXECUTE FUNCTION credentials_lifecycle(
        'resolved_at', 'resolved_by_id', 'resolution', 'resolution_reason');
CREATE TRIGGER key_lifecycle BEFORE UPDATE OR DELETE ON issuer_keys
    FOR EACH ROW EXECUTE FUNCTION credentials_lifecycle(
        'revoked_at', 'retired_at', 'state', 'sealed_private_key');
CREATE TRIGGER entry_lifecycle BEFORE UPDATE OR DELETE ON status_list_entries
    FOR EACH ROW EXECUTE FUNCTION credentials_lifecycle();
"""
LIFECYCLE_REVERSE = """
DROP TRIGGER entry_lifecycle ON status_list_entries;
DROP TRIGGER key_lifecycle ON issuer_keys;
DROP TRIGGER hold_lifecycle ON award_holds;
DROP TRIGGER award_lifecycle ON certification_awards;
DROP FUNCTION credentials_lifecycle();
"""

# A version never returns to draft, so looking once, when it is used, is enough.
NO_DRAFT = """
CREATE FUNCTION credentials_no_draft() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    state text;
BEGIN
    EXECUTE format(
        'SELECT status FROM %I.certification_template_versions WHERE id = $1', TG_TABLE_SCHEMA
    ) INTO state USING NEW.template_version_id;
    IF state = 'draft' THEN
        RAISE EXCEPTION '% refused in %: the template is a draft', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER award_of_no_draft BEFORE INSERT ON certification_awards
    FOR EACH ROW EXECUTE FUNCTION credentials_no_draft();
"""
NO_DRAFT_REVERSE = """
DROP TRIGGER award_of_no_draft ON certification_awards;
DROP FUNCTION credentials_no_draft();
"""

# Credentials state the type, and the program decides who may earn them: both are part of what was
# published, although they stand in the definition.
IDENTITY = """
CREATE FUNCTION credentials_template_identity() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_published boolean;
BEGIN
    IF (NEW.type, NEW.program_id) IS NOT DISTINCT FROM (OLD.type, OLD.program_id) THEN
        RETURN NEW;
    END IF;
    EXECUTE format(
        'SELECT EXISTS (SELECT 1 FROM %I.certification_template_versions'
        ' WHERE definition_id = $1 AND status <> ''draft'')', TG_TABLE_SCHEMA
    ) INTO is_published USING OLD.id;
    IF is_published THEN
        RAISE EXCEPTION '% refused in %: type and program were published', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER template_identity BEFORE UPDATE ON certification_templates
    FOR EACH ROW EXECUTE FUNCTION credentials_template_identity();
"""
IDENTITY_REVERSE = """
DROP TRIGGER template_identity ON certification_templates;
DROP FUNCTION credentials_template_identity();
"""

DIGEST = """
ALTER TABLE credential_documents ADD CONSTRAINT credentialdocument_digest_of_its_bytes
    CHECK (encode(sha256(content), 'hex') = sha256);
"""
DIGEST_REVERSE = """
ALTER TABLE credential_documents DROP CONSTRAINT credentialdocument_digest_of_its_bytes;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("credentials", "0001_initial"),
        ("requirements", "0002_walls"),
        ("cohorts", "0002_walls"),
    ]

    operations = [
        composite_key(
            "certification_awards",
            "award_rests_on_an_evaluation_of_its_learner",
            "evaluation_id, contact_id, evaluation_status",
            "requirement_evaluations (id, contact_id, status)",
        ),
        composite_key(
            "certification_awards",
            "award_enrollment_of_its_learner",
            "enrollment_id, contact_id",
            "cohort_enrollments (id, contact_id)",
        ),
        composite_key(
            "certification_awards",
            "award_version_of_its_template",
            "template_version_id, template_id",
            "certification_template_versions (id, definition_id)",
        ),
        composite_key(
            "certification_awards",
            "award_replaces_one_of_its_template",
            "replaces_id, template_id",
            "certification_awards (id, template_id)",
        ),
        composite_key(
            "credential_events",
            "credentialevent_contact_of_its_award",
            "award_id, contact_id",
            "certification_awards (id, contact_id)",
        ),
        composite_key(
            "award_holds",
            "awardhold_enrollment_of_its_learner",
            "enrollment_id, contact_id",
            "cohort_enrollments (id, contact_id)",
        ),
        composite_key(
            "award_holds",
            "awardhold_award_of_its_template",
            "award_id, template_id",
            "certification_awards (id, template_id)",
        ),
        migrations.RunSQL(sql=LIFECYCLE, reverse_sql=LIFECYCLE_REVERSE),
        migrations.RunSQL(sql=NO_DRAFT, reverse_sql=NO_DRAFT_REVERSE),
        migrations.RunSQL(sql=IDENTITY, reverse_sql=IDENTITY_REVERSE),
        migrations.RunSQL(sql=DIGEST, reverse_sql=DIGEST_REVERSE),
    ]
