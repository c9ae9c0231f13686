"""What the checks of single formats raise; `checking` turns it into a refusal with its reason."""

import re
from typing import Literal

Fault = Literal[
    "damaged",
    "two_in_one",
    "active",
    "encrypted",
    "unpacks_too_large",
    "unsafe_member",
    "other_content",
]
# A web page or program text inside a picture or document: two kinds of file in one.
# Long enough not to turn up in compressed bytes by chance.
MARKUP = re.compile(
    rb"<(script|html|iframe|object|embed|!doctype\s+html)\b|<svg\b[^<>]{0,300}(xmlns|onload)", re.I
)
END_OF_ZIP = b"PK\x05\x06"
# The end record of a zip archive: 22 bytes and a comment of at most 64 KB.
ZIP_TAIL = 22 + 65_535


class FileFault(Exception):
    """Something is wrong with the content; `code` is a value of `checking.FileRefusal`."""

    def __init__(self, code: Fault) -> None:
        super().__init__(code)
        self.code = code


def refuse_second_kind(content: bytes) -> None:
    """Raises FileFault when a web page or a zip archive hides in the file."""
    if MARKUP.search(content) or b"<?php" in content or END_OF_ZIP in content[-ZIP_TAIL:]:
        raise FileFault("two_in_one")
