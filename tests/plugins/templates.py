"""An undefined variable in one of our templates fails the test that renders it.

`{% if x %}` and a filter made for absence (`default`, `default_if_none`, `yesno`) stay allowed.
"""

import sys
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.template import engines
from django.template.base import FilterExpression, Node

ALLOWING_FILTERS = {"default", "default_if_none", "yesno", "length_is", "add_class"}
PROJECT = Path(settings.BASE_DIR)
OURS = tuple(
    str(PROJECT / part) + "/" for part in ("templates", "sipo_portal", "businesses", "financing")
)


class UndefinedTemplateVariable(AssertionError):
    """Names the variable and the template; fix the context or pass the parameter."""


class _Undefined(str):
    """Stands for `string_if_invalid`: undefined names ask for its truth."""

    __slots__ = ()

    def __bool__(self) -> bool:
        frame = sys._getframe(1)
        expression = frame.f_locals.get("self")
        if isinstance(expression, FilterExpression):
            filters = {function.__name__ for function, _arguments in expression.filters}
            template = _template_of(frame)
            if template.startswith(OURS) and not filters & ALLOWING_FILTERS:
                raise UndefinedTemplateVariable(f"{expression.token} in {template}")
        return False


def _template_of(frame: FrameType | None) -> str:
    """File of the innermost template node on the stack, '' when there is none."""
    while frame is not None:
        node = frame.f_locals.get("self")
        origin = getattr(node, "origin", None) if isinstance(node, Node) else None
        if origin is not None:
            return str(origin.name)
        frame = frame.f_back
    return ""


def pytest_collection_finish() -> None:
    """After Django's set-up, before the first test."""
    for backend in engines.all():
        backend.engine.string_if_invalid = _Undefined()
