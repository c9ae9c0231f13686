"""Where: administrative divisions (GB/T 2260) and the branch offices that answer for them."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _


class RegionQuerySet(models.QuerySet["Region"]):
    def visible_to(self, user: Any) -> "RegionQuerySet":
        """Divisions are public knowledge: all of them, for everybody."""
        return self.all()

    def subtree(self, region: "Region | None") -> "RegionQuerySet":
        """`region` and everything below it; all of the country for None."""
        return self.all() if region is None else self.filter(code__startswith=region.scope_prefix)

    def provinces(self) -> "RegionQuerySet":
        return self.filter(level=Region.Level.PROVINCE)


class Region(models.Model):
    """One division; `code` is its six-digit GB/T 2260 code. Loaded by `load_reference_data`."""

    class Level(models.TextChoices):
        PROVINCE = "province", _("province")
        PREFECTURE = "prefecture", _("prefecture")
        COUNTY = "county", _("county")

    code = models.CharField(_("code"), max_length=6, primary_key=True)
    name = models.CharField(_("name"), max_length=60)
    name_en = models.CharField(_("English name"), max_length=100, blank=True)
    level = models.CharField(_("level"), max_length=10, choices=Level.choices)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("in")
    )

    objects = RegionQuerySet.as_manager()

    class Meta:
        verbose_name = _("region")
        verbose_name_plural = _("regions")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=r"^[0-9]{6}$"), name="region_code_form"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the reader's language."""
        return _label(self.name, self.name_en)

    @property
    def place(self) -> str:
        """The name with what it lies in, province first; read with `parent__parent`."""
        above = self.parent.place if self.parent is not None else ""
        return f"{above} · {self.label}" if above else self.label

    @property
    def scope_prefix(self) -> str:
        """What the codes of this division and everything in it begin with: 32, 3205 or 320505."""
        match self.level:
            case Region.Level.PROVINCE:
                return self.code[:2]
            case Region.Level.PREFECTURE:
                return self.code[:4]
            case _:
                return self.code

    @property
    def province_code(self) -> str:
        """The code of the province this division is in (itself for a province)."""
        return f"{self.code[:2]}0000"


class BranchOfficeQuerySet(models.QuerySet["BranchOffice"]):
    def visible_to(self, user: Any) -> "BranchOfficeQuerySet":
        """The open ones for everybody signed in, all for the system administrator."""
        role = getattr(user, "role", "")
        if role == "system_admin":
            return self.all()
        return self.filter(is_active=True) if role else self.none()

    def covering(self, region: Region) -> "BranchOfficeQuerySet":
        """Open offices of `region` and of every division above it, nearest first."""
        above = {region.code, f"{region.code[:4]}00", f"{region.code[:2]}0000"}
        return self.filter(Q(region__in=above) | Q(region=None), is_active=True).order_by(
            models.F("region__code").desc(nulls_last=True), "pk"
        )


class BranchOffice(models.Model):
    """An office of the national IP office; without a region it is the national one."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    name_en = models.CharField(_("English name"), max_length=150, blank=True)
    region = models.ForeignKey(
        Region,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="offices",
        verbose_name=_("region"),
        help_text=_("Leave empty for the national office."),
    )
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("parent office"),
    )
    is_active = models.BooleanField(pgettext_lazy("office", "open"), default=True)

    objects = BranchOfficeQuerySet.as_manager()

    class Meta:
        verbose_name = _("branch office")
        verbose_name_plural = _("branch offices")
        ordering = ["region__code", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["region"],
                condition=Q(region__isnull=True),
                nulls_distinct=False,
                name="office_one_national",
                violation_error_message=_("There is a national office already."),
            ),
            models.CheckConstraint(
                condition=Q(region__isnull=False) | Q(parent__isnull=True),
                name="office_national_has_no_parent",
                violation_error_message=_("The national office has no parent office."),
            ),
            models.CheckConstraint(
                condition=~Q(parent=models.F("id")),
                name="office_not_its_own_parent",
                violation_error_message=_("An office cannot be its own parent."),
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the reader's language."""
        return _label(self.name, self.name_en)

    @property
    def scope_prefix(self) -> str:
        """What the region codes of this office begin with; empty for the national office."""
        return self.region.scope_prefix if self.region is not None else ""


def _label(chinese: str, english: str) -> str:
    return english if english and not (get_language() or "zh").startswith("zh") else chinese
