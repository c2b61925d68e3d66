"""The public schema's walls: what tenant code may read of the tables that all organisations share.

Row-level security keyed on the current role; the owner of the tables is exempt, the platform's
role sees all. The conditions are written out in each policy: wrapped in a function PostgreSQL
would evaluate them row by row.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from apps.core import walls
from apps.core.db.base import PLATFORM_ROLE
from apps.core.tenancy import connection
from apps.core.walls import APP_ROLE, TENANT_GROUP, ensure_role, let_app_act_as

EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"

MEMBER = """EXISTS (
    SELECT 1 FROM public.org_memberships m
    WHERE m.user_id = {user} AND m.status = 'active'
      AND m.organization_id = (SELECT public.current_org()))"""

# A version that is withdrawn is no row for organisations, so nothing that leads only to it is.
OFFERED = "EXISTS (SELECT 1 FROM public.catalog_course_versions v WHERE {which})"


@dataclass(frozen=True)
class PublicTable:
    """Who may do what with one public table; `rows` limits what tenant code sees of it.

    Of history triggers refuse every change, whoever tries.
    """

    name: str
    platform: str = EVERYTHING
    tenant: str = ""
    rows: str = ""
    is_history: bool = False


TABLES = (
    PublicTable("organizations", tenant="SELECT", rows="id = (SELECT public.current_org())"),
    PublicTable(
        "organization_domains", tenant="SELECT", rows="tenant_id = (SELECT public.current_org())"
    ),
    PublicTable(
        "org_memberships",
        tenant="SELECT",
        rows="organization_id = (SELECT public.current_org())",
    ),
    PublicTable("org_invitations"),
    PublicTable("plan_limits", tenant="SELECT", rows="true"),
    PublicTable(
        "organization_limits",
        tenant="SELECT",
        rows="organization_id = (SELECT public.current_org())",
    ),
    PublicTable("support_grants"),
    PublicTable("platform_actions", platform="SELECT, INSERT"),
    PublicTable(
        "users",
        tenant="SELECT, UPDATE (password, last_login)",
        rows=MEMBER.format(user="users.id"),
    ),
    PublicTable(
        "user_profiles",
        tenant="SELECT, UPDATE",
        rows=MEMBER.format(user="user_profiles.user_id"),
    ),
    PublicTable("user_roles"),
    PublicTable(
        "user_sessions",
        tenant=EVERYTHING,
        rows="organization_id = (SELECT public.current_org())",
    ),
    PublicTable(
        "account_emailaddress",
        tenant="SELECT",
        rows=MEMBER.format(user="account_emailaddress.user_id"),
    ),
    PublicTable("account_emailconfirmation"),
    # django-allauth looks here for accounts of social providers: there are none, and stay none.
    PublicTable(
        "socialaccount_socialaccount",
        platform="",
        tenant="SELECT",
        rows="false",
    ),
    PublicTable("socialaccount_socialapp", platform=""),
    PublicTable("socialaccount_socialtoken", platform=""),
    PublicTable(
        "mfa_authenticator",
        tenant=EVERYTHING,
        rows=MEMBER.format(user="mfa_authenticator.user_id"),
    ),
    PublicTable(
        "sso_connections",
        tenant="SELECT",
        rows="organization_id = (SELECT public.current_org())",
    ),
    PublicTable(
        "sso_identities",
        tenant="SELECT",
        rows="organization_id = (SELECT public.current_org())",
    ),
    PublicTable(
        "organization_email_domains",
        tenant="SELECT",
        rows="organization_id = (SELECT public.current_org())",
    ),
    PublicTable("sso_used_assertions", platform="SELECT, INSERT, DELETE"),
    PublicTable(
        "catalog_courses",
        platform="SELECT, INSERT",
        tenant="SELECT",
        rows=OFFERED.format(which="v.course_id = catalog_courses.id"),
        is_history=True,
    ),
    PublicTable(
        "catalog_course_versions",
        platform="SELECT, INSERT",
        tenant="SELECT",
        rows="""NOT EXISTS (
    SELECT 1 FROM public.catalog_withdrawals w WHERE w.version_id = catalog_course_versions.id)""",
        is_history=True,
    ),
    PublicTable(
        "catalog_packages",
        platform="SELECT, INSERT",
        tenant="SELECT",
        rows=OFFERED.format(which="v.package_id = catalog_packages.id"),
        is_history=True,
    ),
    # Why a version is gone concerns whoever has adopted it.
    PublicTable(
        "catalog_withdrawals",
        platform="SELECT, INSERT",
        tenant="SELECT",
        rows="true",
        is_history=True,
    ),
)

CURRENT_ORG = """
CREATE OR REPLACE FUNCTION public.current_org() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN current_user ~ '^org_[0-9a-f]{32}$' THEN substr(current_user, 5)::uuid END
$$
"""


def sync_public() -> None:
    """Make roles, grants and row-level security of the public schema what this module says."""
    for role in (PLATFORM_ROLE, TENANT_GROUP):
        ensure_role(role)
    let_app_act_as(PLATFORM_ROLE)
    walls.sync_functions()
    with connection.cursor() as cursor:
        cursor.execute(CURRENT_ORG)
        for role in (PLATFORM_ROLE, TENANT_GROUP):
            cursor.execute(
                sql.SQL(
                    "GRANT USAGE ON SCHEMA public TO {role};"
                    "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}"
                ).format(role=sql.Identifier(role))
            )
        cursor.execute(
            sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {}").format(
                sql.Identifier(APP_ROLE)
            )
        )
        cursor.execute(
            sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}").format(
                sql.Identifier(PLATFORM_ROLE)
            )
        )
        for table in TABLES:
            _sync_table(table)


def _sync_table(table: PublicTable) -> None:
    name = sql.Identifier("public", table.name)
    statements: list[sql.Composable] = [
        sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(name),
        sql.SQL("DROP POLICY IF EXISTS platform ON {}").format(name),
        sql.SQL("DROP POLICY IF EXISTS tenant ON {}").format(name),
        sql.SQL("CREATE POLICY platform ON {} TO {} USING (true)").format(
            name, sql.Identifier(PLATFORM_ROLE)
        ),
    ]
    if table.platform:
        statements.append(
            sql.SQL("GRANT {} ON {} TO {}").format(
                sql.SQL(table.platform), name, sql.Identifier(PLATFORM_ROLE)
            )
        )
    if table.tenant:
        statements += [
            sql.SQL("GRANT {} ON {} TO {}").format(
                sql.SQL(table.tenant),
                name,
                sql.Identifier(TENANT_GROUP),
            ),
            sql.SQL("CREATE POLICY tenant ON {} TO {} USING ({})").format(
                name,
                sql.Identifier(TENANT_GROUP),
                sql.SQL(table.rows),
            ),
        ]
    if table.is_history:
        statements += walls.history_triggers(name)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(";").join(statements))
