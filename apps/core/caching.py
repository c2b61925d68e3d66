"""Cache keys carry the organisation, so that one's entry can never answer another's question."""

from apps.core.tenancy import connection


def organization_key(key: str, key_prefix: str, version: int) -> str:
    """Return the key under the schema in force ("-" before one is chosen)."""
    return f"{connection.schema_name or '-'}:{key_prefix}:{version}:{key}"
