"""What searching needs once for all organisations: trigrams, and the words of a document.

PostgreSQL's parser would skip what looks like tags and scripts, and take “burns/scalds” for the
path of a file: to it these characters are spaces.

The configuration's name is not known to be immutable, but PostgreSQL's own never change their
meaning within a major version; `manage.py rebuild_search` follows an upgrade.
"""

from django.db import migrations

FORWARD = """
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
CREATE FUNCTION public.assay_search_vector(language text, title text, headings text, body text)
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT setweight(to_tsvector(language::regconfig, translate(title, '<>/', '   ')), 'A')
        || setweight(to_tsvector(language::regconfig, translate(headings, '<>/', '   ')), 'B')
        || setweight(to_tsvector(language::regconfig, translate(body, '<>/', '   ')), 'C')
$$
"""

REVERSE = "DROP FUNCTION public.assay_search_vector(text, text, text, text)"


class Migration(migrations.Migration):
    dependencies = [("organizations", "0006_enforced_only_when_tested")]

    operations = [migrations.RunSQL(sql=FORWARD, reverse_sql=REVERSE)]
