"""The portal's words for texts of Django and allauth: still theirs, and the ones people meet."""

from pathlib import Path

import allauth
import django
from babel.messages.pofile import read_po
from django.contrib.auth.password_validation import password_validators_help_texts
from django.forms import CharField, Form
from django.utils import translation

from runner.inside.catalogues import extract

LIBRARIES = [
    Path(django.__file__).parent / "conf",
    Path(django.__file__).parent / "contrib" / "auth",
    Path(django.__file__).parent / "contrib" / "admin",
    Path(allauth.__file__).parent,
]
SOURCE = "sipo_portal/ui/framework_texts.py"


def _listed() -> set[object]:
    return {
        message.id
        for message in extract()
        if message.id and SOURCE in {place for place, _line in message.locations}
    }


def test_the_libraries_still_use_every_text() -> None:
    known: set[object] = set()
    for folder in LIBRARIES:
        path = folder / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
        with path.open("rb") as file:
            known |= {message.id for message in read_po(file) if message.id}
    listed = _listed()
    assert len(listed) > 100
    assert listed - known == set()


def test_passwords_and_forms_speak_politely() -> None:
    class Name(Form):
        name = CharField()

    with translation.override("zh-hans"):
        texts = password_validators_help_texts()
        assert texts
        assert not any("你" in text for text in texts), texts
        assert Name({}).errors["name"] == ["请填写此项。"]
