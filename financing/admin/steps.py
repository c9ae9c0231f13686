"""Acts on one row of the admin beside saving it: a button, a page that asks, a service.

Admin classes of this package mix `StepPages` in and say which steps a row has now. A step that
needs to be told something has a form (`step_form`). A binding one is first shown with its figures:
`step_summary` gives them for the checked form, and the same page then posts `is_confirmed`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from sipo_portal.ui.scoped_admin import errors_by_field
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


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What the person is about to bind the institution to: sentence, figures, the last button."""

    consequence: str
    facts: Sequence[dict[str, Any]]
    label: str


class StepConflict(Exception):
    """Somebody else was first: `error` goes to the form, and the answer is HTTP 409."""

    def __init__(self, error: ValidationError) -> None:
        super().__init__(str(error))
        self.error = error


class StepPages:
    """Mixed into a ScopedModelAdmin: pages at ``<row>/step/<action>/``."""

    opts: Any
    admin_site: Any
    # Path converter of the row's primary key.
    row_converter = "int"
    # Templates of forms that crispy alone does not lay out, by action.
    step_templates: Mapping[str, str] = {}

    def steps(self, request: HttpRequest, obj: Any) -> Sequence[Step]:
        """The steps `obj` has now for this person."""
        raise NotImplementedError

    def take_step(self, request: HttpRequest, obj: Any, action: str) -> str | tuple[str, Any]:
        """Call the service; the message that says what happened, or that and the row to show."""
        raise NotImplementedError

    def step_form(self, request: HttpRequest, obj: Any, action: str, data: Any = None) -> Any:
        """The form of a step (bound when `data` is given), or None for a step that only asks."""
        return None

    def step_summary(self, request: HttpRequest, obj: Any, action: str, form: Any) -> Any:
        """The `Summary` to confirm for a valid form; None where the form itself is enough."""
        return None

    def take_form_step(
        self, request: HttpRequest, obj: Any, action: str, form: Any
    ) -> str | tuple[str, Any]:
        """Call the service with the valid form; as `take_step`. Raises ValidationError by field,
        and StepConflict.
        """
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        page = path(
            f"<{self.row_converter}:object_id>/step/<slug:action>/",
            self.admin_site.admin_view(self.step_view),
            name=f"{self.opts.app_label}_{self.opts.model_name}_step",
        )
        return [page, *super().get_urls()]  # type: ignore[misc]

    def step_view(self, request: HttpRequest, object_id: Any, action: str) -> HttpResponse:
        """GET asks, POST does. An unknown action is 404, one not open now a message."""
        obj = self.get_object(request, str(object_id))  # type: ignore[attr-defined]
        if request.user.role not in self.step_roles:  # type: ignore[union-attr]
            raise PermissionDenied
        if action not in self.step_actions:  # type: ignore[attr-defined]
            raise Http404
        step = next((each for each in self.steps(request, obj) if each.action == action), None)
        if step is None:
            messages.error(request, _("This is not possible any more: the page has changed."))
            return self._to_row(obj)
        data = request.POST if request.method == "POST" else None
        form = self.step_form(request, obj, action, data)
        if form is not None:
            return self._form_view(request, obj, step, form)
        if request.method == "POST":
            return self._do(request, obj, action)
        return self._page(request, obj, step, "admin/financing/step.html")

    @property
    def step_roles(self) -> Sequence[str]:
        """Who may take steps; those who change rows unless a class says otherwise."""
        return self.change_roles  # type: ignore[attr-defined, no-any-return]

    def _form_view(self, request: HttpRequest, obj: Any, step: Step, form: Any) -> HttpResponse:
        status = 200
        if request.method == "POST" and form.is_valid() and "change" not in request.POST:
            try:
                answer = self._form_answer(request, obj, step, form)
            except StepConflict as conflict:
                add_errors(form, conflict.error)
                status = 409
            except ValidationError as error:
                add_errors(form, error)
            except TransitionRefused:
                messages.error(request, _("This is not possible any more: the page has changed."))
                return self._to_row(obj)
            else:
                return answer
        template = self.step_templates.get(step.action, "admin/financing/form_step.html")
        return self._page(request, obj, step, template, status=status, form=form)

    def _form_answer(self, request: HttpRequest, obj: Any, step: Step, form: Any) -> HttpResponse:
        summary = self.step_summary(request, obj, step.action, form)
        if summary is not None and "is_confirmed" not in request.POST:
            context = {"summary": summary, "typed": _typed(request)}
            return self._page(request, obj, step, "admin/financing/confirm_step.html", **context)
        return self._done(request, obj, self.take_form_step(request, obj, step.action, form))

    def _page(
        self,
        request: HttpRequest,
        obj: Any,
        step: Step,
        template: str,
        *,
        status: int = 200,
        **context: Any,
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": obj,
            "title": step.label,
            "step": step,
            "row_url": self._row_url(obj),
            **context,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, template, context, status=status)

    def _do(self, request: HttpRequest, obj: Any, action: str) -> HttpResponse:
        try:
            done = self.take_step(request, obj, action)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return self._to_row(obj)
        except TransitionRefused:
            messages.error(request, _("This is not possible any more: the page has changed."))
            return self._to_row(obj)
        return self._done(request, obj, done)

    def _done(self, request: HttpRequest, obj: Any, done: str | tuple[str, Any]) -> HttpResponse:
        text, row = done if isinstance(done, tuple) else (done, obj)
        messages.success(request, text)
        return self._to_row(row)

    def _row_url(self, obj: Any) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=[obj.pk])

    def _to_row(self, obj: Any) -> HttpResponseRedirect:
        return HttpResponseRedirect(self._row_url(obj))


def add_errors(form: Any, error: ValidationError) -> None:
    """Messages of a service at the fields they name; what fits none stands on top.

    A form whose parts are forms themselves (`parts`, by prefix) has them at the parts' fields.
    """
    parts = getattr(form, "parts", ())
    for name, messages_of in errors_by_field(error).items():
        prefix, _dash, field_name = name.rpartition("-")
        part = next((each for each in parts if prefix and each.prefix == prefix), None)
        if part is not None and field_name in part.fields:
            part.add_error(field_name, messages_of)
        else:
            form.add_error(name if name in form.fields else None, messages_of)


def _typed(request: HttpRequest) -> list[tuple[str, str]]:
    """What was posted, for hidden inputs of the page that asks for confirmation."""
    return [
        (name, value)
        for name, values in request.POST.lists()
        if name not in ("csrfmiddlewaretoken", "is_confirmed", "change")
        for value in values
    ]
