"""Plain Django settings, read from the environment; a missing one says what it is for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

django_stubs_ext.monkeypatch()  # generic classes of Django may be subscripted at run time

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# Commands that make or change tables and roles connect as the owner, in their own process.
OWNER_COMMANDS = {
    "makemigrations",
    "migrate",
    "migrate_schemas",
    "provision",
    "setup",
    "sync_grants",
}
COMMAND = sys.argv[1] if len(sys.argv) > 1 else ""
IS_OWNER = env.bool("ASSAY_OWNER", default=COMMAND in OWNER_COMMANDS)


def required(name: str, purpose: str, *, development: str) -> str:
    """Return a setting of the environment; in DEVELOPMENT a development value will do.

    It will do for migrations too, which neither sign nor seal; `provision` signs a link.
    """
    value: str = env.str(name, default="")
    if value:
        return value
    if DEVELOPMENT or TESTING or (IS_OWNER and COMMAND != "provision"):
        return development
    raise ImproperlyConfigured(f"Set {name} in the environment: {purpose}.")


TESTING = "pytest" in sys.modules or "mypy" in sys.modules
DEBUG = env.bool("DEBUG", default=False)
# What needs no production secrets but shows visitors no tracebacks: the demo.
DEVELOPMENT = env.bool("DEVELOPMENT", default=DEBUG)
SECRET_KEY = required(
    "SECRET_KEY", "it signs sessions and links", development="development-only-secret"
)
# 32 bytes in base64: seals the organisations' private keys and the keys of AI conversations.
ASSAY_KEY = required(
    "ASSAY_KEY",
    "32 random bytes in base64 that encrypt issuers' private keys and AI conversations",
    development="ZGV2ZWxvcG1lbnQta2V5LW5vdC1mb3ItcHJvZHVjdGk=",
)
# Organisations live on <slug>.<PLATFORM_HOST>, the platform's own pages on PLATFORM_HOST.
PLATFORM_HOST = env.str("PLATFORM_HOST", default="localhost")
PUBLIC_PORT = env.str("PUBLIC_PORT", default="8000" if DEVELOPMENT or TESTING else "")
PUBLIC_SCHEME = env.str("PUBLIC_SCHEME", default="http" if DEVELOPMENT or TESTING else "https")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"])  # the middleware knows the hosts
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_TLS_PROXY", default=False) else None
)

ROOT_URLCONF = "config.urls"
PUBLIC_SCHEMA_URLCONF = "config.urls_public"
WSGI_APPLICATION = "config.wsgi.application"
WIRING = "config.wiring"
ACTOR_MODEL = "contacts.Contact"

# --- Applications -----------------------------------------------------------------------------
SHARED_APPS = [
    "apps.organizations",
    "apps.catalog",
    "apps.accounts",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "apps.contacts.admin_config.OrganizationAdminConfig",
    "django_tenants",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.saml",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "django_htmx",
    "template_partials",
    "csp",
    "apps.sso",
    "apps.pages",
    "apps.demo",
]
TENANT_APPS = [
    "apps.core",
    "apps.contacts",
    "apps.programs",
    "apps.cohorts",
    "apps.assessment",
    "apps.ai_logs",
    "apps.requirements",
    "apps.credentials",
    "apps.reporting",
    "apps.search",
    "apps.portability",
    "apps.commerce",
]
INSTALLED_APPS = [*TENANT_APPS, *SHARED_APPS]
TENANT_MODEL = "organizations.Organization"
TENANT_DOMAIN_MODEL = "organizations.OrganizationDomain"

MIDDLEWARE = [
    "apps.organizations.middleware.OrganizationMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.contacts.middleware.PrincipalMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]

# --- Database ---------------------------------------------------------------------------------
if (
    COMMAND in OWNER_COMMANDS - {"makemigrations"}
    and not (DEVELOPMENT or TESTING)
    and not env.str("DATABASE_OWNER_URL", default="")
):
    told = f"Set DATABASE_OWNER_URL in the environment: {COMMAND} works as the owner."
    raise ImproperlyConfigured(told)
_url = env.db_url_config(
    env.str(
        "DATABASE_OWNER_URL" if IS_OWNER else "DATABASE_URL",
        default="postgresql://assay_app@127.0.0.1:5432/assay",
    ),
    engine="apps.core.db",
)
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **_url,
        "ENGINE": "apps.core.db",
        "IS_OWNER": IS_OWNER,
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **_url.get("OPTIONS", {}),
            "application_name": "assay",
            # The server keeps the plans of what is asked again and again.
            "server_side_binding": True,
            "prepare_threshold": 3,
        },
    }
}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Tables of ours never join a public one with a tenant's, and contrib tables are public only.
TEST_RUNNER = "django.test.runner.DiscoverRunner"

# --- Work that is owed --------------------------------------------------------------------------
CELERY_BROKER_URL = env.str("BROKER_URL", default="memory://localhost//")
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "init_extension": False,
        "visibility_timeout": 900,
        # Else the driver prefers DATABASE_URL, the application's login, to the broker's own.
        "conn_string": CELERY_BROKER_URL.replace("pgmq://", "postgresql://", 1),
    }
    if CELERY_BROKER_URL.startswith("pgmq")
    else {}
)
OUTBOX_MAX_ATTEMPTS = env.int("OUTBOX_MAX_ATTEMPTS", default=8)
OUTBOX_SWEEP_SECONDS = env.int("OUTBOX_SWEEP_SECONDS", default=15)

# --- Cache, sessions, identity ------------------------------------------------------------------
_redis = env.str("REDIS_URL", default="")
_own_keys: dict[str, Any] = {"KEY_FUNCTION": "apps.core.caching.organization_key"}
_shared: dict[str, Any] = {
    **_own_keys,
    "LOCATION": _redis,
    # A cache that does not answer at once is no help.
    "OPTIONS": {"socket_connect_timeout": 0.25, "socket_timeout": 0.5},
}
CACHES: dict[str, dict[str, Any]] = (
    {
        "default": {**_shared, "BACKEND": "apps.core.caching.SharedCache"},
        "sessions": {**_shared, "BACKEND": "apps.core.caching.SessionCache"},
    }
    if _redis
    else {"default": {**_own_keys, "BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
)
SESSION_CACHE_ALIAS = "sessions" if _redis else "default"
# Without a shared cache, an ended session would live on in another process's memory.
SESSION_ENGINE = "apps.organizations.cached_sessions" if _redis else "apps.organizations.sessions"
SESSION_COOKIE_NAME = "assay_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_SCHEME == "https"
CSRF_COOKIE_NAME = "assay_csrf"
CSRF_FAILURE_VIEW = "apps.pages.views.problems.stale_form"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["apps.contacts.backends.PrincipalBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "apps.contacts.allauth_adapter.OrganizationAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # membership comes by invitation, to the address itself
ACCOUNT_PREVENT_ENUMERATION = True
# allauth's own writes account_emailaddress, which an organisation may not.
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"  # noqa: S105 - a path
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {"sso": "60/m/ip"}
MFA_ADAPTER = "apps.contacts.factors.OrganizationMfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # an account's address was proved by its invitation
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = PUBLIC_SCHEME == "http"
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1
SOCIALACCOUNT_ADAPTER = "apps.sso.adapters.OrganizationSocialAccountAdapter"
SOCIALACCOUNT_PROVIDERS = {
    "saml": {"provider_class": "apps.sso.saml.provider.OrganizationSamlProvider"},
    "openid_connect": {
        "provider_class": "apps.sso.oidc.OrganizationOidcProvider",
        "OAUTH_PKCE_ENABLED": True,
    },
}
# Whether an organisation may name an identity provider in a private network, or without TLS.
ALLOW_PRIVATE_ADDRESSES = env.bool("ALLOW_PRIVATE_ADDRESSES", default=DEVELOPMENT or TESTING)

EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Assay <no-reply@localhost>")

# --- API ----------------------------------------------------------------------------------------
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.contacts.authentication.TokenAuthentication",
        "apps.contacts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PAGINATION_CLASS": "apps.core.api.CursorPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_PARSER_CLASSES": ["apps.core.parsers.StrictJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["apps.core.throttling.PrincipalThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "principal": env.str("API_RATE", default="1200/min"),
        "anonymous": env.str("API_ANONYMOUS_RATE", default="120/min"),
        "verification": env.str("VERIFICATION_RATE", default="300/min"),
        "webhook": env.str("WEBHOOK_RATE", default="600/min"),
    },
    # Of X-Forwarded-For only what our own proxies wrote is believed; a client can write the rest.
    "NUM_PROXIES": env.int("TRUSTED_PROXIES", default=int(bool(SECURE_PROXY_SSL_HEADER))),
    "EXCEPTION_HANDLER": "apps.core.api.problem_response",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Assay",
    "DESCRIPTION": "Teach people, measure what they learned, show trustworthy proof.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.core.openapi.describe_common_parts",
    ],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # Fields of one name with different values: each set keeps a name of its own in the schema.
    "ENUM_NAME_OVERRIDES": {
        "VersionStatus": "apps.core.models.VersionStatus",
        "MembershipStatus": "apps.organizations.models.MembershipStatus",
        "CohortStatus": "apps.cohorts.models.CohortStatus",
        "AttendanceStatus": "apps.cohorts.models.AttendanceStatus",
        "ProgressStatus": "apps.cohorts.models.ProgressStatus",
        "EnrollmentState": "apps.cohorts.models.EnrollmentState",
        "AssessmentType": "apps.assessment.vocabulary.TemplateType",
        "ItemKind": "apps.assessment.vocabulary.Kind",
        "GradingKind": "apps.assessment.vocabulary.GradingKind",
        "AttemptStatus": "apps.assessment.vocabulary.AttemptStatus",
        "GradingTaskState": "apps.assessment.vocabulary.TaskState",
        "RequirementKind": "apps.requirements.graph.NodeKind",
        "RequirementState": "apps.requirements.statuses.Status",
        "EvaluationStatus": "apps.requirements.statuses.DecisionStatus",
        "EvidenceKind": "apps.requirements.statuses.EvidenceKind",
        "PackageKind": "apps.portability.vocabulary.PackageKind",
        "PackagePartKind": "apps.portability.vocabulary.PartKind",
        "EdgeKind": "apps.requirements.graph.EdgeKind",
        "EdgeCondition": "apps.requirements.graph.EdgeCondition",
        "SignOffStatus": "apps.requirements.models.SignOffStatus",
        "WaiverStatus": "apps.requirements.models.WaiverStatus",
        "StaffRole": "apps.cohorts.models.StaffRole",
        "AiRole": "apps.ai_logs.vocabulary.Role",
        "PaymentState": "apps.commerce.vocabulary.PaymentState",
        "LineOutcome": "apps.commerce.vocabulary.LineOutcome",
        "EntitlementState": "apps.commerce.vocabulary.EntitlementState",
        "EntitlementEffect": "apps.commerce.vocabulary.Effect",
        "DeliveryOutcome": "apps.commerce.vocabulary.DeliveryOutcome",
        "SearchKind": "apps.search.models.DocumentKind",
    },
}
# How long a call waits for a parent span that tells its conversation.
OTLP_JOIN_SECONDS = env.int("OTLP_JOIN_SECONDS", default=600)
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000

# --- Pages --------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = True

# --- Objects ------------------------------------------------------------------------------------
MEDIA_ROOT = Path(env.str("OBJECT_STORE", default=str(BASE_DIR / "var" / "objects")))
_bucket = env.str("AWS_STORAGE_BUCKET_NAME", default="")
STORAGES: dict[str, dict[str, Any]] = {
    # What organisations store is counted against their plans.
    "default": {
        "BACKEND": "apps.organizations.buckets.MeteredS3",
        "OPTIONS": {
            "bucket_name": _bucket,
            "endpoint_url": env.str("AWS_S3_ENDPOINT_URL", default="") or None,
            "region_name": env.str("AWS_S3_REGION_NAME", default="") or None,
            "addressing_style": env.str("AWS_S3_ADDRESSING_STYLE", default="auto"),
            # Without these, boto3 looks where it always does: roles, profiles, its own files.
            "access_key": env.str("AWS_ACCESS_KEY_ID", default="") or None,
            "secret_key": env.str("AWS_SECRET_ACCESS_KEY", default="") or None,
        },
    }
    if _bucket
    else {"BACKEND": "apps.organizations.storage.MeteredFiles"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

# --- Logs ---------------------------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"context": {"()": "apps.core.logs.ContextFilter"}},
    "formatters": {
        "json": {"()": "apps.core.logs.JsonFormatter"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "filters": ["context"],
            "formatter": "json",
        }
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {"django": {"level": LOG_LEVEL, "propagate": True}},
}
