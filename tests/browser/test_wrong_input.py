"""Every form filled in wrong once: a summary with links, a title that says so, the input kept."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.utils import translation
from django.utils.translation import gettext
from playwright.sync_api import Locator, Page

from tests.access.world import World
from tests.browser.axe import serious
from tests.browser.looks import sticking_out
from tests.browser.shapes import WHO, Shape, shapes_for
from tests.browser.states import Scene
from tests.browser.test_pages import LANGUAGES
from tests.browser.wrong_answers import BAD_FILES, Wrong, wrong_answers
from tests.plugins.browser import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WRONG, WRONG_NUMBER = "１x", "-7"
TYPED = "input:not([type]), input[type=text], input[type=email], input[type=number], textarea"
SUBMIT = "button.btn-primary, button.btn-danger, input[type=submit].default"
NOTHING_CHOSEN = """form => form.querySelectorAll('[type=radio]')
    .forEach(each => { each.checked = false })"""

ALL_OPEN = "() => document.querySelectorAll('main details').forEach(each => { each.open = true })"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_filled_in_wrong(
    open_page: Callable[..., Page], world: World, language: str
) -> None:
    wrong = []
    for person in WHO:
        page = open_page(language=language, width=PHONE, client=world.clients[person])
        wrong += [
            f"{person}: {shape.name} {shape.url}: {fault}"
            for shape in shapes_for(person, world)
            if shape.is_form
            for fault in faults(page, shape, language)
        ]
        page.context.close()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_wrong_from_consent_to_policy(
    open_page: Callable[..., Page], scene: Scene, tmp_path: Path, language: str
) -> None:
    wrong = []
    cases = wrong_answers(scene)
    for person in dict.fromkeys(case.person for case in cases):
        page = open_page(language=language, width=PHONE, client=scene.client(person))
        wrong += [
            f"{person} {case.page} {case.typed} {sorted(case.files)}: {fault}"
            for case in cases
            if case.person == person
            for fault in faults_of(page, case, language, tmp_path)
        ]
        page.context.close()
    assert not wrong, "\n".join(wrong)


def prefix_in(language: str) -> str:
    with translation.override("zh-hans" if language == "zh-CN" else "en"):
        return gettext("Error:")


def serious_once(page: Page, language: str) -> list[str]:
    """Of an error's page in one language only; `test_pages` asks of every page in both.

    What an error adds has the same elements in both, and English needs more room.
    """
    return serious(page) if language == "en" else []


def faults_of(page: Page, case: Wrong, language: str, folder: Path) -> Iterator[str]:
    page.goto(case.page)
    form = page.locator("main form[method=post]").filter(has=page.locator(SUBMIT)).first
    if case.action:
        form = page.locator(f"main form[action^='{case.action}']").first
    if not form.count():
        yield f"no form at {page.url}"
        return
    page.evaluate(ALL_OPEN)
    type_into(form, case, folder)
    with page.expect_navigation():
        form.locator(SUBMIT).first.click()
    if not page.title().startswith(prefix_in(language)):
        yield f"title {page.title()!r} at {page.url}"
    if page.locator(".error-summary").count() != 1:
        yield "no summary of errors"
        return
    yield from dead_links(page)
    told = page.evaluate(WRONG_FIELDS)
    if set(told) != case.at:
        yield f"the summary leads to {sorted(told)} instead of {sorted(case.at)}"
    summary = page.locator(".error-summary").inner_text()
    if len(case.files) == len(BAD_FILES):
        yield from (f"nothing said of {name}" for name in case.files if name not in summary)
    yield from (f"no message at {name}" for name, is_there in told.items() if not is_there)
    for name, value in case.typed.items():
        found = form.locator(f"[name='{name}']")
        if found.first.get_attribute("type") in ("radio", "checkbox"):
            found = found.and_(page.locator(":checked"))
        if found.first.input_value() != str(value):
            yield f"{name}: {str(value)[:20]!r} became {found.first.input_value()[:20]!r}"
    yield from sticking_out(page)
    yield from serious_once(page, language)


# The fields that links of the summary lead to, by name: whether a message describes the field.
WRONG_FIELDS = """() => Object.fromEntries([...document.querySelectorAll('.error-summary a')]
    .map(link => document.getElementById(link.getAttribute('href').slice(1)))
    .filter(target => target)
    .map(target => [target.name, (target.closest('[aria-describedby]')
        ?.getAttribute('aria-describedby') || '').split(' ')
        .some(id => id.endsWith('_error') && document.getElementById(id)?.textContent.trim())]))"""


def type_into(form: Locator, case: Wrong, folder: Path) -> None:
    form.evaluate(NOTHING_CHOSEN)
    for name, value in case.typed.items():
        field = form.locator(f"[name='{name}']")
        if field.first.evaluate("field => field.tagName") == "SELECT":
            field.select_option(str(value))
        elif field.first.get_attribute("type") == "radio":
            field.and_(form.page.locator(f"[value='{value}']")).check()
        else:
            # More than a browser lets one type.
            field.evaluate("field => field.removeAttribute('maxlength')")
            field.fill(str(value))
    for name, content in case.files.items():
        (folder / name).write_bytes(content)
    if case.files:
        form.locator("[name=files]").set_input_files([folder / name for name in case.files])


def faults(page: Page, shape: Shape, language: str) -> Iterator[str]:
    page.goto(shape.url)
    title, form = page.title(), the_form(page)
    if form is None:
        return
    typed = fill_in_wrong(form)
    form.locator(SUBMIT).first.click()
    page.wait_for_load_state()
    # In the admin the title names the row as it was typed.
    rest = title.partition(" – ")[2]
    if not (page.title().startswith(prefix_in(language)) and page.title().endswith(rest)):
        yield f"title {page.title()!r} after {title!r} at {page.url}"
    if page.locator(".error-summary").count() != 1:
        yield "no summary of errors"
        return
    yield from dead_links(page)
    assert page.url.endswith(shape.url), page.url
    for name, value in typed.items():
        found = page.locator(f"main form [name='{name}']").first.input_value()
        if found != value:
            yield f"{name}: {value!r} became {found!r}"
    yield from sticking_out(page)
    yield from serious_once(page, language)


def the_form(page: Page) -> Locator | None:
    """The page's form to type into."""
    forms = page.locator("main form[method=post]").filter(has=page.locator(TYPED))
    return forms.first if forms.count() else None


def fill_in_wrong(form: Locator) -> dict[str, str]:
    """Choose nothing, leave the first field empty, type nonsense into the others.

    What was typed, by name.
    """
    form.evaluate(NOTHING_CHOSEN)
    typed = {}
    for number, field in enumerate(form.locator(TYPED).all()):
        if not (field.is_visible() and field.is_editable()):
            continue
        wrong = WRONG_NUMBER if field.get_attribute("type") == "number" else WRONG
        value = wrong if number else ""
        field.fill(value)
        typed[str(field.get_attribute("name"))] = value
    return typed


def dead_links(page: Page) -> Iterator[str]:
    """Links of the summary that lead to nothing on this page."""
    links = page.locator(".error-summary a").all()
    for link in links:
        target = str(link.get_attribute("href"))
        if page.locator(f"[id='{target[1:]}']").count() != 1:
            yield f"the summary's link {target} leads nowhere"
