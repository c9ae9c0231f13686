"""Message catalogues with Babel, no gettext programs: `compile`, `update` (developers) and `check`.

Templates go through Django's own `templatize`, so the messages are those `makemessages` finds.
"""

import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
LOCALES = ROOT / "sipo_portal" / "locale"
PACKAGES = ("sipo_portal", "businesses", "financing")
LANGUAGES = ("zh_Hans",)  # the source texts are English
CALLS = ("gettext", "ngettext", "pgettext", "npgettext")
# Babel reads the names only; `_identity` knows which argument is what.
KEYWORDS: dict[str, Any] = dict.fromkeys(
    ["_", "gettext_noop", *CALLS, *(f"{name}_lazy" for name in CALLS)]
)
Identity = tuple[str | tuple[str, ...], str | None]


def extract() -> Catalog:
    """Every message of the code and the templates, with the files it occurs in."""
    catalog = Catalog(charset="utf-8")
    for path in sorted(_sources()):
        text = path.read_text("utf-8")
        if path.suffix != ".py":
            text = templatize(text, origin=str(path))
            # What is left of a template keeps its indentation, which no Python reader accepts.
            text = "\n".join(line.strip() for line in text.splitlines())
        where = path.relative_to(ROOT).as_posix()
        for _line, function, arguments, comments in extract_python(
            io.BytesIO(text.encode()), KEYWORDS, ["Translators:"], {}
        ):
            identity = _identity(str(function), arguments)
            if identity is not None:
                message, context = identity
                catalog.add(
                    message, locations=[(where, 0)], auto_comments=comments or (), context=context
                )
    return catalog


def compile_all() -> None:
    """Writes django.mo beside each django.po that is newer."""
    for source in LOCALES.glob("*/LC_MESSAGES/django.po"):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        fresh = target.with_name(f"{target.name}.{os.getpid()}")
        with fresh.open("wb") as file:
            write_mo(file, _read(source))
        fresh.replace(target)


def update() -> None:
    """Brings each django.po in step with the code: new messages empty, vanished ones dropped."""
    template = extract()
    for language in LANGUAGES:
        source = LOCALES / language / "LC_MESSAGES" / "django.po"
        source.parent.mkdir(parents=True, exist_ok=True)
        catalog = _read(source) if source.exists() else Catalog(locale=language)
        catalog.project, catalog.version, catalog.fuzzy = "sipo-portal", "1", False
        catalog.header_comment = "# Translations of the portal; `run.py messages` keeps it in step."
        catalog.update(template, no_fuzzy_matching=True, keep_user_comments=True)
        catalog.obsolete.clear()
        written = io.BytesIO()
        write_po(
            written,
            catalog,
            width=100,
            sort_output=True,
            include_lineno=False,
            ignore_obsolete=True,
        )
        source.write_bytes(written.getvalue())
        empty = sum(1 for message in catalog if message.id and not _translated(message))
        print(f"{source.relative_to(ROOT)}: {len(catalog)} messages, {empty} without translation")


def faults() -> list[str]:
    """What keeps a catalogue from being complete, one line each; empty when all is well."""
    found: list[str] = []
    wanted = {_key(message): message for message in extract() if message.id}
    sources = sorted(LOCALES.glob("*/LC_MESSAGES/django.po"))
    if not sources:
        found.append("no catalogue sipo_portal/locale/*/LC_MESSAGES/django.po")
    for source in sources:
        name = source.parent.parent.name
        catalog = _read(source)
        have = {_key(message): message for message in catalog if message.id}
        for key, message in wanted.items():
            places = ", ".join(sorted({place for place, _line in message.locations})[:3])
            if key not in have:
                found.append(f"{name}: missing {message.id!r} ({places})")
            elif not _translated(have[key]):
                found.append(f"{name}: not translated {message.id!r} ({places})")
        for key, message in have.items():
            if message.fuzzy:
                found.append(f"{name}: fuzzy {message.id!r}")
            if key not in wanted:
                found.append(f"{name}: no longer used {message.id!r}")
            found += [f"{name}: {message.id!r}: {fault}" for fault in _placeholder_faults(message)]
    return found


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            if path.suffix in {".py", ".html", ".txt"} and not {"static", "migrations"} & {
                *path.parts
            }:
                yield path
    yield from (
        path for path in (ROOT / "templates").rglob("*") if path.suffix in {".html", ".txt"}
    )


def _identity(function: str, arguments: Any) -> Identity | None:
    """Message id (a tuple with the plural) and context of one call; None when not literal."""
    parts = list(arguments) if isinstance(arguments, (tuple, list)) else [arguments]
    name = function.removesuffix("_lazy")
    context = parts.pop(0) if name in {"pgettext", "npgettext"} else None
    count = 2 if name in {"ngettext", "npgettext"} else 1
    message = tuple(parts[:count])
    if len(message) < count or not all(isinstance(part, str) and part for part in message):
        return None
    return (message[0] if count == 1 else message), context


def _placeholder_faults(message: Message) -> list[str]:
    """Named placeholders of the source that the translation lost or invented."""
    sources = message.id if isinstance(message.id, (tuple, list)) else (message.id,)
    targets = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    pattern = re.compile(r"%\(\w+\)[sdf]|(?<!\{)\{\w*\}(?!\})|%[sd]")
    allowed = {place for text in sources for place in pattern.findall(text)}
    return [
        f"placeholders differ: {', '.join(sorted(allowed ^ have))}"
        for text in targets
        if text and (have := set(pattern.findall(text))) != allowed
    ]


def _translated(message: Message) -> bool:
    texts = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    return bool(texts) and all(texts)


def _key(message: Message) -> Identity:
    first = message.id[0] if isinstance(message.id, (tuple, list)) else message.id
    return first, message.context


def _read(source: Path) -> Catalog:
    with source.open("rb") as file:
        return read_po(file, locale=source.parent.parent.name)


def main() -> int:
    match sys.argv[1:]:
        case ["compile"]:
            compile_all()
        case ["update"]:
            django.setup()
            update()
        case ["check"]:
            django.setup()
            lines = faults()
            print("\n".join(lines[:60]))
            if len(lines) > 60:
                print(f"… and {len(lines) - 60} more")
            return 1 if lines else 0
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
