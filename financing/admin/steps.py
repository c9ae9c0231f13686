"""Acts on one row of the admin beside saving it: a button, a page that asks, a service.

Admin classes of this package mix `StepPages` in and say which steps a row has now.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from sipo_portal.workflow.lifecycle import TransitionRefused


@dataclass(frozen=True, kw_only=True)
class Step:
    """One act: the button's `label`, and what the page that asks says will happen."""

    action: str
    label: str
    consequence: str
    facts: Sequence[dict[str, Any]] = field(default=())
    is_main: bool = False
    is_dangerous: bool = False


class StepPages:
    """Mixed into a ScopedModelAdmin: pages at ``<row>/step/<action>/``."""

    opts: Any
    admin_site: Any

    def steps(self, request: HttpRequest, obj: Any) -> Sequence[Step]:
        """The steps `obj` has now for this person."""
        raise NotImplementedError

    def take_step(self, request: HttpRequest, obj: Any, action: str) -> str | tuple[str, Any]:
        """Call the service; the message that says what happened, or that and the row to show."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<int:object_id>/step/<slug:action>/",
            self.admin_site.admin_view(self.step_view),
            name=f"{self.opts.app_label}_{self.opts.model_name}_step",
        )
        return [page, *super().get_urls()]  # type: ignore[misc]

    def step_view(self, request: HttpRequest, object_id: int, action: str) -> HttpResponse:
        """GET asks, POST does. An unknown action is 404, one not open now a message."""
        obj = self.get_object(request, str(object_id))  # type: ignore[attr-defined]
        if request.user.role not in self.change_roles:  # type: ignore[attr-defined, union-attr]
            raise PermissionDenied
        if action not in self.step_actions:  # type: ignore[attr-defined]
            raise Http404
        step = next((each for each in self.steps(request, obj) if each.action == action), None)
        if step is None:
            messages.error(request, _("This is not possible any more: the page has changed."))
            return self._to_row(obj)
        if request.method == "POST":
            return self._do(request, obj, action)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": obj,
            "title": step.label,
            "step": step,
            "row_url": self._row_url(obj),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/financing/step.html", context)

    def _do(self, request: HttpRequest, obj: Any, action: str) -> HttpResponse:
        try:
            done = self.take_step(request, obj, action)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return self._to_row(obj)
        except TransitionRefused:
            messages.error(request, _("This is not possible any more: the page has changed."))
            return self._to_row(obj)
        text, row = done if isinstance(done, tuple) else (done, obj)
        messages.success(request, text)
        return self._to_row(row)

    def _row_url(self, obj: Any) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=[obj.pk])

    def _to_row(self, obj: Any) -> HttpResponseRedirect:
        return HttpResponseRedirect(self._row_url(obj))
