"""The one admin site of the portal, `portal_admin`; the apps register their models on it."""

# The stubs of Django's admin type these hooks more narrowly than Django calls them.
# mypy: disable-error-code="override, attr-defined"

from collections.abc import Callable, Iterable
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, reverse, reverse_lazy
from django.utils.cache import patch_cache_control
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

# `view_on_site` answers with the address of any row of any model, seen or unseen; `autocomplete`
# serves scripted fields, which the scoped admin has none of, and fails on names made up.
LEFT_OUT = {"view_on_site", "autocomplete"}


class PortalAdminSite(AdminSite):
    """Django's admin behind the portal's own sign-in and second factor.

    Anonymous visitors go to the portal's sign-in page, people of a role without admin pages get
    403, staff without a second factor go to its set-up page.
    """

    site_title = _("SIPO Financing Portal")
    site_header = _("SIPO Financing Portal")
    index_title = _("Work area")
    enable_nav_sidebar = False
    empty_value_display = "–"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # It deletes rows past the services, hence past the audit.
        self.disable_action("delete_selected")

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(
            request.user.is_active
            and getattr(request.user, "is_staff", False)
            and self._has_second_factor(request)
        )

    def _has_second_factor(self, request: HttpRequest) -> bool:
        # Asked several times while one page is made: one query per request.
        if not hasattr(request, "_portal_second_factor"):
            request._portal_second_factor = is_mfa_enabled(request.user)
        return bool(request._portal_second_factor)

    def admin_view(
        self, view: Callable[..., HttpResponse], cacheable: bool = False
    ) -> Callable[..., HttpResponse]:
        gated = super().admin_view(view, cacheable)

        def gate(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not self.has_permission(request):
                return self._refuse(request)
            response = gated(request, *args, **kwargs)
            if cacheable and not response.has_header("Cache-Control"):
                patch_cache_control(response, private=True)
            return response

        gate.__dict__.update(gated.__dict__)
        return gate

    def _refuse(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("account_login"))
        if not getattr(request.user, "is_staff", False):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("mfa_activate_totp"))

    def get_urls(self) -> list[URLPattern | URLResolver]:
        urls = [each for each in super().get_urls() if getattr(each, "name", "") not in LEFT_OUT]
        for each in urls:
            if isinstance(each, URLPattern) and hasattr(each.callback, "login_url"):
                each.callback.login_url = reverse_lazy("account_login")
        return urls

    # --- sign-in, sign-out and passwords are the portal's -----------------------------------
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index", current_app=self.name))
        target = request.GET.get("next", "")
        if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
            target = reverse("admin:index", current_app=self.name)
        return redirect_to_login(target, reverse("account_login"))

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("account_logout"))

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("account_change_password"))

    def password_change_done(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:index", current_app=self.name))

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: Any = None
    ) -> HttpResponse:
        # Django answers 404 here; a part of the admin one's role has no page in is 403.
        if not self.get_app_list(request, app_label):
            raise PermissionDenied
        return super().app_index(request, app_label, extra_context)

    def get_log_entries(self, request: HttpRequest) -> Iterable[Any]:
        # Django's admin log is not written: the services audit.
        return []


portal_admin = PortalAdminSite()
