"""Accounts in the admin, kept by the security administrator through the services."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from sipo_portal.accounts import services
from sipo_portal.accounts.models import Role, User
from sipo_portal.audit.actors import Actor
from sipo_portal.ui.admin_site import portal_admin
from sipo_portal.ui.scoped_admin import ScopedModelAdmin


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("email", "name", "role", "office", "language")

    def clean(self) -> dict[str, Any]:
        """Says at the field what the database would refuse for the row as a whole."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        has_office = given.get("office") is not None
        if "role" in given and (given["role"] == Role.COORDINATOR) != has_office:
            self.add_error("office", _("A coordinator has a branch office, nobody else does."))
        return given


class NewAccountForm(AccountForm):
    password = forms.CharField(
        label=_("First password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("The person changes it after signing in."),
    )


@admin.register(User, site=portal_admin)
class UserAdmin(ScopedModelAdmin):
    view_roles = add_roles = change_roles = ("security_admin",)
    list_display = ("email", "name", "role", "office", "is_active", "date_joined", "last_login")
    list_select_related = ("office__region",)
    list_filter = ("role", "is_active")
    search_fields = ("email", "name")
    actions = ("close", "open_again", "reset_second_factor")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ("email", "name", "role", "office", "language", "password")
        return ("email", "name", "role", "office", "is_active", "date_joined", "last_login")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else ("email", "is_active", "date_joined", "last_login")

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["form"] = NewAccountForm if obj is None else AccountForm
        return super().get_form(request, obj, change=change, **kwargs)

    def save_through_service(
        self, request: HttpRequest, obj: Any, form: Any, formsets: Sequence[Any], change: bool
    ) -> Any:
        actor = Actor.of(request.user)
        if change:
            return services.change_account(actor, user=obj, **form.cleaned_data)
        return services.create_account(actor, **form.cleaned_data)

    @admin.action(description=_("Close the chosen accounts"), permissions=["change"])
    def close(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, services.deactivate_account)

    @admin.action(description=_("Open the chosen accounts again"), permissions=["change"])
    def open_again(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, services.reactivate_account)

    @admin.action(description=_("Remove the second factor (lost device)"), permissions=["change"])
    def reset_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, services.reset_second_factor)

    def _each(self, request: HttpRequest, queryset: QuerySet[User], service: Any) -> None:
        count = 0
        for user in queryset:
            try:
                service(Actor.of(request.user), user=user)
            except ValidationError as refused:
                self.message_user(request, " ".join(refused.messages), "ERROR")
            else:
                count += 1
        text = ngettext("%(count)d account changed.", "%(count)d accounts changed.", count)
        self.message_user(request, text % {"count": count})
