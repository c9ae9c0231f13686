"""Who you are: the account, its one role and what it may enter."""

import uuid
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sipo_portal.offices.models import BranchOffice


class Role(models.TextChoices):
    """DOMAIN 2. One account has one role; the three administrators are never one account."""

    OWNER = "owner", _("Business owner")
    INSTITUTION_STAFF = "institution_staff", _("Institution staff")
    COORDINATOR = "coordinator", _("Branch-office coordinator")
    SYSTEM_ADMIN = "system_admin", _("System administrator")
    SECURITY_ADMIN = "security_admin", _("Security administrator")
    AUDIT_ADMIN = "audit_admin", _("Audit administrator")


ADMINISTRATOR_ROLES = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN)
# Whoever may enter the admin site.
ADMIN_SITE_ROLES = (Role.INSTITUTION_STAFF, *ADMINISTRATOR_ROLES)
# Whoever needs a second factor (QUALITY 1).
SECOND_FACTOR_ROLES = (Role.INSTITUTION_STAFF, Role.COORDINATOR, *ADMINISTRATOR_ROLES)


class UserQuerySet(models.QuerySet["User"]):
    def visible_to(self, user: Any) -> "UserQuerySet":
        """All accounts for the security administrator, everybody else only their own."""
        role = getattr(user, "role", "")
        if role == Role.SECURITY_ADMIN:
            return self.all()
        return self.filter(pk=user.pk) if role else self.none()


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A stored account, unaudited; use `services.create_account` for people's accounts."""
        user: User = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        user: User = self.get(email=(username or "").strip().lower())
        return user


class User(AbstractBaseUser):
    """A person's account. Signs in by e-mail; the role alone decides what it may do."""

    email = models.EmailField(
        _("e-mail address"),
        unique=True,
        error_messages={"unique": _("There is an account with this e-mail address already.")},
    )
    name = models.CharField(pgettext_lazy("person", "name"), max_length=100)
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.OWNER)
    office = models.ForeignKey(
        BranchOffice,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="coordinators",
        verbose_name=_("branch office"),
        help_text=_("Coordinators only."),
    )
    language = models.CharField(
        _("language"),
        max_length=10,
        blank=True,
        choices=[("zh-hans", _("Chinese")), ("en", _("English"))],
    )
    # What audit events name instead of the person; erasing an account leaves only this.
    pseudonym = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(_("joined at"), default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["email"]
        constraints = [
            # With the plain unique index above this makes addresses unique whatever their case.
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="user_role_known"),
            models.CheckConstraint(
                condition=Q(role=Role.COORDINATOR, office__isnull=False)
                | (~Q(role=Role.COORDINATOR) & Q(office__isnull=True)),
                name="user_office_iff_coordinator",
                violation_error_message=_("A coordinator has a branch office, nobody else does."),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_staff(self) -> bool:
        """May enter the admin site."""
        return self.role in ADMIN_SITE_ROLES

    @property
    def needs_second_factor(self) -> bool:
        return self.role in SECOND_FACTOR_ROLES

    @property
    def scope_prefix(self) -> str:
        """Region codes a coordinator answers for begin with this; for coordinators only."""
        return self.office.scope_prefix if self.office is not None else ""

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """No rights are stored: roles decide in views and in each scoped admin."""
        return False

    def has_module_perms(self, app_label: str) -> bool:
        """Asked by Django's admin; which models show is decided by their scoped admin."""
        return bool(self.is_active and self.is_staff)
