"""Templates: each parses, each is used, components list their parameters and see nothing else."""

import re
from pathlib import Path

import pytest
from django.template import TemplateDoesNotExist, engines

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
NAMES = sorted(
    path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*") if path.is_file()
)
INCLUDE = re.compile(r"{%\s*include\s+(.*?)%}", re.S)


@pytest.fixture(scope="module")
def written() -> str:
    """All code and templates of the project as one text, to find names in."""
    files = [TEMPLATES.rglob("*.*")]
    files += [(ROOT / app).rglob("*.py") for app in ("sipo_portal", "businesses", "financing")]
    files += [(ROOT / app).rglob("*.html") for app in ("sipo_portal", "businesses", "financing")]
    return "\n".join(_full_names(path.read_text("utf-8")) for group in files for path in group)


@pytest.mark.parametrize("name", NAMES)
def test_template_parses(name: str) -> None:
    engines["django"].get_template(name)


def test_every_template_is_used(written: str) -> None:
    unused = [
        name
        for name in NAMES
        if not _overrides(name) and name not in written and not _event(name, written)
    ]
    assert not unused


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("components/")])
def test_component_starts_with_its_parameters(name: str) -> None:
    first = (TEMPLATES / name).read_text("utf-8").lstrip()
    assert first.startswith(("{% comment", "{#"))


def test_components_are_included_with_only() -> None:
    # The page frame hands its whole context to header, navigation, messages and footer.
    leaking = [
        f"{name}: {found}"
        for name in NAMES
        if name not in {"base.html", "admin/base.html", "components/header.html"}
        for found in INCLUDE.findall((TEMPLATES / name).read_text("utf-8"))
        if "components/" in found and not re.search(r"\bonly\s*$", found)
    ]
    assert not leaking


def test_forms_included_with_only_are_given_the_token() -> None:
    # Without it the form is shown, and every post of it refused.
    posting = re.compile(r"{%\s*(crispy|csrf_token)\b")
    forms = {name for name in NAMES if posting.search((TEMPLATES / name).read_text("utf-8"))}
    without = [
        f"{name}: {found}"
        for name in NAMES
        for found in INCLUDE.findall((TEMPLATES / name).read_text("utf-8"))
        if found.split()[0].strip("\"'") in forms
        if re.search(r"\bonly\s*$", found) and "csrf_token=" not in found
    ]
    assert not without


def test_no_inline_scripts_styles_or_handlers() -> None:
    # The content security policy would block them silently.
    inline = re.compile(r"<script(?![^>]*\bsrc=)|\sstyle=[\"']|<style|\son[a-z]+=[\"']|hx-on", re.I)
    found = [
        f"{name}: {match[0]}"
        for name in NAMES
        if name.endswith(".html") and not name.startswith("emails/")
        for match in inline.finditer((TEMPLATES / name).read_text("utf-8"))
    ]
    assert not found


def _full_names(text: str) -> str:
    """The text with its views' folder, a constant `FOLDER`, written out in names of templates."""
    folder = re.search(r'^FOLDER = "([^"]+)"', text, re.M)
    return text.replace("{FOLDER}", folder[1]) if folder else text


def _overrides(name: str) -> bool:
    """Whether an installed package has a template of this name, which ours replaces."""
    for loader in engines["django"].engine.template_loaders[0].loaders:
        for origin in loader.get_template_sources(name):
            if Path(origin.name).is_relative_to(TEMPLATES):
                continue
            try:
                loader.get_contents(origin)
            except TemplateDoesNotExist:
                continue
            return True
    # What the admin looks for by app and model.
    if re.fullmatch(r"admin/\w+/\w+/change_(form|list)\.html", name):
        return True
    # Shapes Django and allauth look for by name.
    return name in {"400.html", "403.html", "403_csrf.html", "404.html", "429.html", "500.html"}


def _event(name: str, written: str) -> bool:
    """Message templates are named by their event: `emails/<event>_subject.txt` and so on."""
    stem = Path(name).stem
    return name.startswith("emails/") and any(
        f'"{part}"' in written or f"emails/{part}" in written
        for part in (stem, stem.rpartition("_")[0])
        if part
    )
