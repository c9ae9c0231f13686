"""CSV and plain text: text in a usual encoding, no markup; `checking` calls it."""

import re

from sipo_portal.attachments.faults import MARKUP, FileFault

ENCODINGS = ("utf-8-sig", "gb18030")
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# What starts like this is read as markup or as a program by something.
# Dynamic data exchange: a cell that starts a program when a spreadsheet opens it.
EXCHANGE = re.compile(r"(?:^|[,;\t\"'\n])\s*[=＝+\-@]\s*[\w()+.-]{1,40}\|", re.M)
BEGINNINGS = ("<", "#!", "MZ", "{\\rtf", "@echo")


def check(content: bytes) -> None:
    """Raises FileFault."""
    text = _decoded(content)
    if text is None or CONTROLS.search(text):
        raise FileFault("other_content")
    beginning = text.lstrip("\ufeff \t\r\n").lower()
    if beginning.startswith(tuple(each.lower() for each in BEGINNINGS)) or MARKUP.search(content):
        raise FileFault("active")
    if EXCHANGE.search(text):
        raise FileFault("active")


def _decoded(content: bytes) -> str | None:
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None
