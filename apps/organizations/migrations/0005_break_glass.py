"""The owner who may still come in by password stays an active owner of this organisation."""

from django.db import migrations

# The columns that are always 'owner' and 'active' make the key say so.
FORWARD = """
ALTER TABLE org_memberships ADD CONSTRAINT membership_standing
    UNIQUE (id, organization_id, org_role, status);
ALTER TABLE organizations
    ADD COLUMN sso_break_glass_role text GENERATED ALWAYS AS
        (CASE WHEN sso_break_glass_id IS NOT NULL THEN 'owner' END) STORED,
    ADD COLUMN sso_break_glass_status text GENERATED ALWAYS AS
        (CASE WHEN sso_break_glass_id IS NOT NULL THEN 'active' END) STORED,
    ADD CONSTRAINT break_glass_is_an_active_owner
        FOREIGN KEY (sso_break_glass_id, id, sso_break_glass_role, sso_break_glass_status)
        REFERENCES org_memberships (id, organization_id, org_role, status);
"""
REVERSE = """
ALTER TABLE organizations
    DROP CONSTRAINT break_glass_is_an_active_owner,
    DROP COLUMN sso_break_glass_status,
    DROP COLUMN sso_break_glass_role;
ALTER TABLE org_memberships DROP CONSTRAINT membership_standing;
"""


class Migration(migrations.Migration):
    dependencies = [("organizations", "0004_sso")]

    operations = [migrations.RunSQL(sql=FORWARD, reverse_sql=REVERSE)]
