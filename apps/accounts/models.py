"""Users live once, in the public schema; what they may do in an organisation does not live here."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth import get_backends
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from apps.core.ids import uuid7
from apps.core.models import ClockTimestamp


class UserStatus(models.TextChoices):
    ACTIVE = "active"
    DEACTIVATED = "deactivated"


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser):
    """One person's way in, shared by all organisations they belong to.

    An organisation's role sees only the users who are its active members (row-level security)
    and may write nothing of them but password and last_login. There is no PermissionsMixin:
    permissions are capabilities of a membership, answered by the authentication backends.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    status = models.CharField(max_length=20, choices=UserStatus, default=UserStatus.ACTIVE)
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        db_table = "users"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(Lower("email"), name="user_email_once_ignoring_case"),
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="user_email_in_lower_case"
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        return self.status == UserStatus.ACTIVE

    @property
    def is_staff(self) -> bool:
        return self.has_perm("assay.use_back_office")

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        return self.is_active and any(
            backend.has_perm(self, perm, obj) for backend in get_backends()
        )

    def has_perms(self, perm_list: list[str], obj: models.Model | None = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        return self.has_perm(f"{app_label}.view_module")


class UserProfile(models.Model):
    """How a user likes to be addressed, wherever they are signed in."""

    user = models.OneToOneField(
        User, primary_key=True, on_delete=models.CASCADE, related_name="profile"
    )
    display_name = models.CharField(max_length=200, blank=True)
    locale = models.CharField(max_length=20, default="en")
    timezone = models.CharField(max_length=64, default="UTC")
    metadata = models.JSONField(default=dict, blank=True)

    class Meta:
        db_table = "user_profiles"

    def __str__(self) -> str:
        return self.display_name


class PlatformRole(models.TextChoices):
    LEARNER = "learner"
    INSTRUCTOR = "instructor"
    ADMIN = "admin"


class UserRole(models.Model):
    """A role on the platform itself: an instructor authors the catalog, an admin operates it.

    It opens nothing inside an organisation.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="platform_roles")
    role = models.CharField(max_length=20, choices=PlatformRole)
    granted_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        db_table = "user_roles"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "role"], name="user_role_once"),
        ]

    def __str__(self) -> str:
        return self.role
