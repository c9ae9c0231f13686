"""Which related rows the admin offers: choices and filters by `visible_to`; for scoped_admin."""

# The stubs of Django's admin type these hooks more narrowly than Django calls them.
# mypy: disable-error-code="override, type-arg, misc, no-any-return, attr-defined"

from collections.abc import Sequence
from typing import Any

from django.contrib.admin import ModelAdmin, RelatedFieldListFilter
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.http import HttpRequest

from sipo_portal.ui.fields import DayField, ModelFigureField


def visible_rows(model: type[models.Model], request: HttpRequest) -> models.QuerySet[Any]:
    """The rows of `model` the signed-in person may see; the only source of rows in the admin."""
    return model._default_manager.visible_to(request.user)


def is_scoped(model: type[models.Model]) -> bool:
    return hasattr(model._default_manager, "visible_to")


class ScopedRelatedFilter(RelatedFieldListFilter):
    """Filter by a related row: visible ones, or for reference data those in visible rows."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: "ModelAdmin[Any]"
    ) -> list[tuple[Any, str]]:
        related = field.remote_field.model
        if is_scoped(related):
            rows = visible_rows(related, request)
        else:
            used = model_admin.get_queryset(request).values(self.field_path)
            rows = related._default_manager.filter(pk__in=used)
        ordering = self.field_admin_ordering(field, request, model_admin)
        if ordering:
            rows = rows.order_by(*ordering)
        return [(row.pk, str(row)) for row in rows]


class ScopedRelations(BaseModelAdmin):
    """Choices of foreign keys start from `visible_to`, in the page and in its inlines."""

    # Foreign keys to open reference data, whose model has no `visible_to` (regions, industries).
    reference_fields: Sequence[str] = ()
    view_on_site = False
    # Figures as people type them; the browser's date input instead of Django's scripted one.
    formfield_overrides: dict[Any, dict[str, Any]] = {
        models.DecimalField: {"form_class": ModelFigureField},
        models.DateField: {"form_class": DayField, "widget": None},
    }

    def get_field_queryset(self, db: Any, db_field: Any, request: HttpRequest) -> Any:
        related = db_field.remote_field.model
        if is_scoped(related):
            return visible_rows(related, request)
        if db_field.name not in self.reference_fields:
            raise ImproperlyConfigured(
                f"{self.__class__.__name__}: {related.__name__} has no visible_to; name "
                f"'{db_field.name}' in reference_fields if everybody may see all its rows."
            )
        return super().get_field_queryset(db, db_field, request) or related._default_manager.all()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        # Without Django's links that add or change the related row in a scripted window.
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field
