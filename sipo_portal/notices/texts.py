"""A notice's payload in words, in the reader's language; the list page and the mail use it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.template import Context
from django.template.loader import get_template
from django.utils import translation


@dataclass(frozen=True)
class Words:
    """Plain text, not escaped: one line, and paragraphs."""

    subject: str
    paragraphs: tuple[str, ...]

    @property
    def body(self) -> str:
        return "\n\n".join(self.paragraphs)


def words(kind: str, payload: Mapping[str, Any]) -> Words:
    """What the templates of `kind` say of `payload`, in the active language."""
    values = {name: _readable(name, value) for name, value in payload.items()}
    body = _text(f"emails/{kind}.txt", values)
    paragraphs = (part.strip() for part in body.split("\n\n"))
    return Words(
        subject=" ".join(_text(f"emails/{kind}_subject.txt", values).split()),
        paragraphs=tuple(part for part in paragraphs if part),
    )


def mail_of(
    kind: str, payload: Mapping[str, Any], *, address: str = "", language: str = ""
) -> tuple[str, str]:
    """Subject and text of a mail in `language` (empty: the portal's own); `address`: a URL."""
    with translation.override(language or settings.LANGUAGE_CODE):
        told = words(kind, payload)
        text = _text("emails/frame.txt", {"body": told.body, "address": address})
    return told.subject, text


def _readable(name: str, value: Any) -> Any:
    """Frozen JSON as what templates format: days, amounts, names in the reader's language."""
    if isinstance(value, Mapping):
        language = translation.get_language() or settings.LANGUAGE_CODE
        return value.get("en" if language.startswith("en") else "zh-hans", "")
    if name.endswith("_on") and value:
        return date.fromisoformat(value)
    if name == "amount" and value:
        return Decimal(value)
    return value


def _text(template: str, values: Mapping[str, Any]) -> str:
    # Plain text: the engine's own template, because the backend's would escape for HTML.
    engine_template: Any = get_template(template)
    text: str = engine_template.template.render(Context(values, autoescape=False))
    return text
