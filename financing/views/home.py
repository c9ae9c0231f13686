"""The first page: what to do next for an owner; everybody else goes to the own place of work."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from financing.next_steps import owner_home
from sipo_portal.accounts.access import public
from sipo_portal.accounts.models import Role, User


@public
@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    if not isinstance(request.user, User):
        return render(request, "home/landing.html", {"figures": []})
    if request.user.role == Role.OWNER:
        context = {"home": owner_home(request.user, today=timezone.localdate())}
        return render(request, "home/owner.html", context)
    if request.user.role == Role.COORDINATOR:
        return redirect("financing:review_queue")
    return redirect("admin:index")
