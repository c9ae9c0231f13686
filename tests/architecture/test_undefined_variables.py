"""An undefined template variable fails the test that renders it, in our templates only."""

from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Origin, Template, engines

from tests.plugins.templates import UndefinedTemplateVariable

OURS = Path(settings.BASE_DIR) / "templates" / "page.html"


def _render(text: str, path: Path = OURS) -> str:
    engine = engines["django"].engine  # type: ignore[attr-defined]
    return Template(text, origin=Origin(str(path)), engine=engine).render(Context({"one": {}}))


@pytest.mark.parametrize(
    "text",
    ["{{ nothing }}", "{{ one.two }}", "{{ nothing|upper }}", "{% if one %}{% endif %}{{ x }}"],
)
def test_undefined_variable_fails(text: str) -> None:
    with pytest.raises(UndefinedTemplateVariable):
        _render(text)


@pytest.mark.parametrize("text", ["{% if nothing %}a{% endif %}", "{{ nothing|default:'' }}"])
def test_absence_that_is_meant_passes(text: str) -> None:
    assert _render(text) == ""


def test_templates_of_packages_are_left_alone() -> None:
    assert _render("{{ nothing }}", Path("/usr/lib/package/templates/page.html")) == ""
