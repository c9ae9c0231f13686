"""Every component renders in both languages, without anything the strict CSP refuses."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import engines
from django.test import RequestFactory
from django.utils import translation

from tests.sipo_portal.ui.showcase import showcase_context

PAGE = Path(__file__).parent / "showcase.html"


def rendered(language: str, *, wrong: bool = False) -> str:
    request = RequestFactory().get("/requests/", {"page": "7", "sort": "-amount"})
    request.user = AnonymousUser()
    with translation.override(language):
        template = engines["django"].from_string(PAGE.read_text())
        return str(template.render(showcase_context(wrong=wrong), request))


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("wrong", [False, True])
def test_every_component_renders(language: str, wrong: bool) -> None:
    text = rendered(language, wrong=wrong)
    assert f'lang="{"zh-Hans" if language == "zh-hans" else "en"}"' in text
    assert " style=" not in text
    assert "<style" not in text
    assert not re.search(r"<script(?![^>]*src=)", text)
    assert not re.search(r'\son[a-z]+="', text)
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_errors_are_summed_up_with_links_to_the_inputs() -> None:
    text = rendered("en", wrong=True)
    assert "<title>Error:" in text
    targets = re.findall(r'<a href="#(id_[^"]+)"', text)
    assert targets == [
        "id_principal",
        "id_term_months",
        "id_needed_on",
        "id_purpose",
        "id_repayment_0",
        "id_patents_0",
        "id_agree",
    ]
    for target in targets:
        assert f'id="{target}"' in text
    described = re.findall(r'aria-describedby="([^"]+)"', text)
    for each in " ".join(described).split():
        assert f'id="{each}"' in text, each
    assert 'value="三百万"' in text


def test_sorting_and_paging_keep_the_rest_of_the_address() -> None:
    text = rendered("en")
    assert 'aria-sort="descending"' in text
    assert 'href="?sort=amount"' in text
    assert 'href="?page=8&amp;sort=-amount"' in text
    assert 'aria-current="page">7<' in text


def test_charts_carry_a_sentence_and_the_table_behind_them() -> None:
    text = rendered("en")
    assert text.count('<svg role="img"') == 3
    assert "An annuity of CNY\u00a02,200.00 was due on 20 May 2025 and is not paid." in text
    assert "0.69 percentage points below the benchmark" in text
    assert text.count("<caption>") >= 4
