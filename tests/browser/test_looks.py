"""The look a walk takes at a page sees what is wrong there, with scripts and without."""

import pytest
from django.http import HttpResponse
from django.urls import path

from sipo_portal.accounts.access import public
from tests.browser.looks import all_faults
from tests.browser.steps import OpenPage, visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WRONG = """<!doctype html><html lang="en"><title>A page</title>
    <meta name="viewport" content="width=device-width, initial-scale=1"><main><h1>A page</h1>
    <img src="/absent.png"><table><td>{}</td></table></main>""".format("wide" * 20)


@public
def wrong_page(request: object) -> HttpResponse:
    return HttpResponse(WRONG)


@public
def home(request: object) -> HttpResponse:
    return HttpResponse("<!doctype html><title>Home</title>")


urlpatterns = [path("", home), path("wrong/", wrong_page)]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("scripts", [True, False])
def test_image_without_text_wide_page_and_missing_file_are_seen(
    open_walk: OpenPage, scripts: bool
) -> None:
    page = open_walk(width=360, language="en", scripts=scripts)
    visit(page, "/wrong/")
    visit(page, "/wrong/")
    found = all_faults([page])
    assert "image-alt (critical) img" in found
    assert "px wide at 360" in found
    assert "console: " in found
    assert len(found.splitlines()) < 12, "the same page is looked at once"
