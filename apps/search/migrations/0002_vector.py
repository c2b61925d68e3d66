"""The words of a document as a stored column, its indexes, and the work owed to what is there."""

from django.db import migrations

# The operators and the function live in public, which is not on the path of a tenant's migration.
VECTOR = """
ALTER TABLE search_documents ADD COLUMN vector tsvector
    GENERATED ALWAYS AS (public.assay_search_vector(language, title, headings, body)) STORED;
CREATE INDEX searchdocument_words ON search_documents USING gin (vector);
CREATE INDEX searchdocument_title ON search_documents USING gin (title public.gin_trgm_ops)
"""

# What is published already is not in the index yet: each definition is owed it.
OWE_INDEX = """
INSERT INTO outbox_messages (id, topic, key, payload, attempts, last_error)
SELECT gen_random_uuid(), 'search.index_course', id::text, '{}'::jsonb, 0, '' FROM courses
UNION ALL
SELECT gen_random_uuid(), 'search.index_program', id::text, '{}'::jsonb, 0, '' FROM programs
UNION ALL
SELECT gen_random_uuid(), 'search.index_assessment', id::text, '{}'::jsonb, 0, ''
FROM assessment_templates
"""


class Migration(migrations.Migration):
    dependencies = [
        ("search", "0001_initial"),
        ("core", "0002_stored_objects"),
    ]

    operations = [
        migrations.RunSQL(VECTOR, "ALTER TABLE search_documents DROP COLUMN vector"),
        migrations.RunSQL(OWE_INDEX, migrations.RunSQL.noop),
    ]
