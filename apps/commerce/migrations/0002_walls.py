"""What Django cannot say: one source, one learner, turns, and nothing that goes back."""

from django.db import migrations


def composite_key(table: str, name: str, columns: str, target: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        sql=f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {target}",
        reverse_sql=f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


def check(table: str, name: str, condition: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        sql=f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition})",
        reverse_sql=f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


# Deliveries come in any order: whatever our code does, an order's mirror never becomes older.
NEVER_OLDER = """
CREATE FUNCTION commerce_order_never_older() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.source_id, NEW.external_id) IS DISTINCT FROM
        (OLD.id, OLD.source_id, OLD.external_id)
    THEN
        RAISE EXCEPTION '% refused in %: an order stays the one it is', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.revision < OLD.revision
        OR ((NEW.revision IS NULL OR OLD.revision IS NULL) AND NEW.updated_at < OLD.updated_at)
    THEN
        RAISE EXCEPTION '% refused in %: a newer state is known', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER order_never_older BEFORE UPDATE ON orders
    FOR EACH ROW EXECUTE FUNCTION commerce_order_never_older();
"""
NEVER_OLDER_REVERSE = """
DROP TRIGGER order_never_older ON orders;
DROP FUNCTION commerce_order_never_older();
"""


class Migration(migrations.Migration):
    dependencies = [("commerce", "0001_initial"), ("cohorts", "0002_walls")]

    operations = [
        composite_key(
            "order_lines",
            "orderline_of_its_orders_source",
            "order_id, source_id",
            "orders (id, source_id)",
        ),
        composite_key(
            "order_lines",
            "orderline_sellable_of_its_source",
            "sellable_id, source_id",
            "sellables (id, source_id)",
        ),
        composite_key(
            "webhook_deliveries",
            "webhookdelivery_secret_of_its_source",
            "secret_id, source_id",
            "commerce_source_secrets (id, source_id)",
        ),
        composite_key(
            "webhook_deliveries",
            "webhookdelivery_order_of_its_source",
            "order_id, source_id",
            "orders (id, source_id)",
        ),
        composite_key(
            "entitlements",
            "entitlement_enrollment_of_its_learner",
            "enrollment_id, contact_id",
            "cohort_enrollments (id, contact_id)",
        ),
        check(
            "entitlements",
            "entitlement_grants_and_withdrawals_take_turns",
            "(revision % 2 = 1) = (state = 'granted')",
        ),
        migrations.RunSQL(sql=NEVER_OLDER, reverse_sql=NEVER_OLDER_REVERSE),
    ]
