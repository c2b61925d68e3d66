"""An item's module belongs to the item's own version: a composite key Django cannot say."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("programs", "0001_initial")]

    operations = [
        migrations.RunSQL(
            sql="""
                ALTER TABLE module_items
                    ADD CONSTRAINT moduleitem_module_of_its_version
                    FOREIGN KEY (module_id, version_id)
                    REFERENCES course_modules (id, version_id);
            """,
            reverse_sql="ALTER TABLE module_items DROP CONSTRAINT moduleitem_module_of_its_version",
        ),
    ]
