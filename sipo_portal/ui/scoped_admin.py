"""Base of every ModelAdmin: rows by `visible_to`, pages by role, writes by services.

How an app uses it::

    class LoanOfferAdmin(ScopedModelAdmin):
        view_roles = ("institution_staff",)
        add_roles = change_roles = ("institution_staff",)
        list_display = ("name", "status")
        inlines = [FeeInline]                       # class FeeInline(ScopedTabularInline)

        def save_through_service(self, request, obj, form, formsets, change):
            fees = [row.cleaned_data for row in formsets[0].forms if row.has_changed()]
            return save_offer(actor=Actor.of(request.user), pk=obj.pk, data=form.cleaned_data, …)

* `save_through_service` runs once per save, after the form and all formsets were found valid, in
  the transaction of the page, instead of Django's `save_model` and `save_related`. Nothing has
  been written before it. It returns the saved row (or None when it saved `obj` itself).
* A service that finds the input bad raises Django's `ValidationError`. The transaction is rolled
  back and the page is shown again with everything typed and the message at the field: keys of the
  error dictionary are names of form fields, or of child fields as the page names them
  (``fees-0-amount``); what fits neither stands on top. Other errors of services are turned into
  one by overriding `refusal_of(error)`.
* Deleting goes through `delete_through_service(request, obj)`; without `delete_roles` nobody may.
* Foreign keys, filters, autocomplete and lists offer visible rows only. A related model without
  `visible_to` must be named in `reference_fields` (open reference data such as regions).
* Absent or foreign rows answer 404, a role without the page 403.
"""

# The stubs of Django's admin type these hooks more narrowly than Django calls them.
# mypy: disable-error-code="override, type-arg, misc, no-any-return, attr-defined, valid-type"
# mypy: disable-error-code="untyped-decorator"

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.contrib.admin import (
    ModelAdmin,
    RelatedFieldListFilter,
    ShowFacets,
    StackedInline,
    TabularInline,
)
from django.contrib.admin.filters import AllValuesFieldListFilter, FieldListFilter
from django.contrib.admin.options import csrf_protect_m
from django.contrib.admin.utils import get_fields_from_path
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, ValidationError
from django.db import models, transaction
from django.db.models.constants import LOOKUP_SEP
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.text import capfirst

from sipo_portal.ui.scoped_relations import (
    ScopedRelatedFilter,
    ScopedRelations,
    is_scoped,
    visible_rows,
)


class ScopedModelAdmin(ScopedRelations, ModelAdmin):
    """See the module's docstring."""

    view_roles: Sequence[str] = ()
    add_roles: Sequence[str] = ()
    change_roles: Sequence[str] = ()
    delete_roles: Sequence[str] = ()
    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER

    def __init__(self, model: type[models.Model], admin_site: Any) -> None:
        name = self.__class__.__name__
        if not is_scoped(model):
            raise ImproperlyConfigured(f"{name}: {model.__name__}.objects has no visible_to.")
        if self.list_editable or self.autocomplete_fields:
            # Rows edited in the list would pass the service; autocomplete needs a script.
            raise ImproperlyConfigured(f"{name}: no list_editable, no autocomplete_fields.")
        super().__init__(model, admin_site)

    # --- who --------------------------------------------------------------------------------
    def _role_in(self, request: HttpRequest, *role_sets: Sequence[str]) -> bool:
        role = getattr(request.user, "role", None)
        return bool(role) and any(role in roles for roles in role_sets)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._role_in(request, self.view_roles, self.change_roles)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._role_in(request, self.add_roles)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._role_in(request, self.change_roles)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._role_in(request, self.delete_roles)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._role_in(request, self.view_roles, self.add_roles, self.change_roles)

    # --- which rows -------------------------------------------------------------------------
    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows = visible_rows(self.model, request)
        ordering = self.get_ordering(request)
        return rows.order_by(*ordering) if ordering else rows

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        # Before the row is looked up: a wrong role learns nothing about which rows exist.
        if not (self.has_view_or_change_permission(request) or self.has_delete_permission(request)):
            raise PermissionDenied
        found = None if "\x00" in object_id else super().get_object(request, object_id, from_field)
        if found is None:
            raise Http404
        return found

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        return [self._scoped_filter(item) for item in super().get_list_filter(request)]

    def _scoped_filter(self, item: Any) -> Any:
        """`item` with the choices scoped; refuses a filter that would show others' values."""
        if callable(item):
            return item
        path, chosen = item if isinstance(item, list | tuple) else (item, None)
        field = get_fields_from_path(self.model, path)[-1]
        if getattr(field, "remote_field", None):
            if chosen in (None, RelatedFieldListFilter):
                return path, ScopedRelatedFilter
        elif chosen in (None, AllValuesFieldListFilter) and LOOKUP_SEP in path:
            tested = next(kind for test, kind in FieldListFilter._field_list_filters if test(field))
            if issubclass(tested, AllValuesFieldListFilter):
                raise ImproperlyConfigured(
                    f"{self.__class__.__name__}: a filter on '{path}' would list the values of "
                    "rows nobody may see; give it a filter class."
                )
        return item

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # Django allows any own field in the address: `?business=5` would tell whose match it is.
        if request is None:
            return False
        filters = [
            item[0] if isinstance(item, list | tuple) else item
            for item in self.get_list_filter(request)
        ]
        named = [getattr(item, "parameter_name", item) for item in [*filters, self.date_hierarchy]]
        offered = [item for item in named if isinstance(item, str)]
        return any(
            lookup == path or lookup.startswith(path + LOOKUP_SEP) for path in offered
        ) and super().lookup_allowed(lookup, value, request)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, {**title, **(extra_context or {})})

    # --- writing ----------------------------------------------------------------------------
    def save_through_service(
        self, request: HttpRequest, obj: Any, form: Any, formsets: Sequence[Any], change: bool
    ) -> Any:
        """Save by calling a service; returns the saved row, or None when that is `obj`."""
        raise NotImplementedError(f"{self.__class__.__name__}.save_through_service")

    def delete_through_service(self, request: HttpRequest, obj: Any) -> None:
        raise NotImplementedError(f"{self.__class__.__name__}.delete_through_service")

    def refusal_of(self, error: Exception) -> ValidationError | None:
        """The message for an error of a service; None lets the error go on."""
        return error if isinstance(error, ValidationError) else None

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing yet: the children are checked and handed over together with the parent."""

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Sequence[Any], change: bool
    ) -> None:
        saved = self.save_through_service(request, form.instance, form, formsets, change)
        if saved is not None:
            # The answer (message, redirect) is made from the form's instance.
            form.instance.pk = saved.pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.delete_through_service(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        for obj in queryset:
            self.delete_through_service(request, obj)

    @csrf_protect_m
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        view = partial(self._changeform_view, request, object_id, form_url, extra_context)
        if request.method != "POST":
            return view()
        try:
            with transaction.atomic():
                return view()
        except Exception as error:
            refusal = self.refusal_of(error)
            if refusal is None:
                raise
            request._service_refusal = refusal
        return view()

    @csrf_protect_m
    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except Exception as error:
            refusal = self.refusal_of(error)
            if refusal is None:
                raise
        self.message_user(request, " ".join(refusal.messages), "ERROR")
        change = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(change, args=[object_id]))

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form_class = super().get_form(request, obj, change=change, **kwargs)
        refusal = getattr(request, "_service_refusal", None)
        if refusal is None:
            return form_class

        errors = errors_by_field(refusal)

        class RefusedForm(form_class):
            def _post_clean(self) -> None:
                super()._post_clean()
                for name, messages in errors.items():
                    # Messages of child rows stand on top too: the page is surely not saved.
                    self.add_error(name if name in self.fields else None, messages)

        return RefusedForm

    def _create_formsets(self, request: HttpRequest, obj: Any, change: bool) -> Any:
        formsets, inlines = super()._create_formsets(request, obj, change)
        refusal = getattr(request, "_service_refusal", None)
        if refusal is not None:
            errors = errors_by_field(refusal)
            for formset in formsets:
                formset.is_valid()
                for form in formset.forms:
                    for field in form.fields:
                        if messages := errors.get(form.add_prefix(field)):
                            form.add_error(field, messages)
        return formsets, inlines

    # --- what Django's admin does that would leak, or that the audit does better --------------
    def get_urls(self) -> list[URLPattern]:
        def is_left_out(pattern: URLPattern) -> bool:
            return pattern.name is None or pattern.name.endswith("_history")

        return [each for each in super().get_urls() if not is_left_out(each)]

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        # Django lists every row that hangs on this one, whoever it belongs to.
        rows = [str(each) for each in objs]
        return rows, {str(self.opts.verbose_name_plural): len(rows)}, set(), []

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Services audit; Django's log stays empty."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Services audit; Django's log stays empty."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """Services audit; Django's log stays empty."""

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> list[Any]:
        return []


def errors_by_field(error: ValidationError) -> dict[str, list[Any]]:
    """Messages by field name; those of no field under the empty name."""
    if hasattr(error, "error_dict"):
        return dict(error.error_dict)
    return {"": list(error.error_list)}


class ScopedInline(ScopedRelations):
    """Child rows on the parent's page: the parent's roles and rows decide."""

    extra = 2

    def _parent_may(self, check: str, request: HttpRequest, obj: Any) -> bool:
        parent = self.admin_site.get_model_admin(self.parent_model)
        ask: Callable[..., bool] = getattr(parent, check)
        return ask(request, obj) if obj is not None else ask(request)

    def _may_write(self, request: HttpRequest, obj: Any) -> bool:
        if obj is None:
            return self._parent_may("has_add_permission", request, None)
        return self._parent_may("has_change_permission", request, obj)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_write(request, obj) or self._parent_may(
            "has_view_permission", request, obj
        )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_write(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_write(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_write(request, obj)


class ScopedTabularInline(ScopedInline, TabularInline):
    """Child rows in a table; every input carries its column's name for people who do not see it."""

    template = "admin/scrollable_table.html"

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset_class = super().get_formset(request, obj, **kwargs)

        class NamedInputs(formset_class):
            def add_fields(self, form: Any, index: int | None) -> None:
                super().add_fields(form, index)
                for field in form.fields.values():
                    if not field.widget.is_hidden:
                        field.widget.attrs.setdefault("aria-label", str(field.label))

        return NamedInputs


class ScopedStackedInline(ScopedInline, StackedInline):
    """Child rows below each other."""
