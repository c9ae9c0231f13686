"""Messages are found without gettext, and an incomplete catalogue is told."""

from pathlib import Path

import pytest

from runner.inside import catalogues

CODE = """
from django.utils.translation import gettext as _, ngettext, pgettext
a = _("One")
b = ngettext("%(n)d offer", "%(n)d offers", 2)
c = pgettext("verb", "Match")
d = _(name)
"""
PAGE = """{% load i18n %}
<p class="it's">{% translate "Two" %}</p>
    {% blocktranslate trimmed count n=3 %}
      {{ n }} row, 5 % off
    {% plural %}
      {{ n }} rows, 5 % off
    {% endblocktranslate %}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(catalogues, "ROOT", tmp_path)
    monkeypatch.setattr(catalogues, "LOCALES", tmp_path / "locale")
    (tmp_path / "sipo_portal").mkdir()
    (tmp_path / "sipo_portal" / "code.py").write_text(CODE)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(PAGE)
    return tmp_path


def _translate(project: Path, text: str) -> None:
    path = project / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = 'msgid ""\nmsgstr "Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
    path.write_text(head + text, "utf-8")


def test_messages_of_code_and_templates_are_found(project: Path) -> None:
    found = {(message.id, message.context) for message in catalogues.extract() if message.id}
    assert found == {
        ("One", None),
        (("%(n)d offer", "%(n)d offers"), None),
        ("Match", "verb"),
        ("Two", None),
        (("%(n)s row, 5 %% off", "%(n)s rows, 5 %% off"), None),
    }


def test_absent_fuzzy_and_spare_messages_are_told(project: Path) -> None:
    _translate(
        project,
        'msgid "One"\nmsgstr ""\n\n#, fuzzy\nmsgid "Two"\nmsgstr "二"\n\n'
        'msgid "Gone"\nmsgstr "无"\n\n'
        'msgid "%(n)d offer"\nmsgid_plural "%(n)d offers"\nmsgstr[0] "%(m)d 个"\n',
    )
    faults = "\n".join(catalogues.faults())
    assert "not translated 'One'" in faults
    assert "fuzzy 'Two'" in faults
    assert "no longer used 'Gone'" in faults
    assert "missing 'Match'" in faults
    assert "placeholders differ: %(m)d, %(n)d" in faults


def test_updating_keeps_translations_and_compiles(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _translate(project, 'msgid "One"\nmsgstr "一"\n\nmsgid "Gone"\nmsgstr "无"\n')
    catalogues.update()
    catalogues.compile_all()
    text = (project / "locale/zh_Hans/LC_MESSAGES/django.po").read_text("utf-8")
    assert 'msgid "One"\nmsgstr "一"' in text
    assert "Gone" not in text
    assert (project / "locale/zh_Hans/LC_MESSAGES/django.mo").stat().st_size > 100
    assert "4 without translation" in capsys.readouterr().out
