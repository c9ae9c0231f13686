"""PDF: whole, open, no programs, attachments or second file; `checking` calls it."""

import re
import zlib

from sipo_portal.attachments.faults import FileFault, refuse_second_kind

# Names of the format that act by themselves or carry other files.
ACTIVE = re.compile(
    rb"/(JavaScript|JS|Launch|EmbeddedFiles?|RichMedia|XFA|SubmitForm|ImportData|GoToE)"
    rb"(?![A-Za-z0-9])"
)
ENCRYPTED = re.compile(rb"/Encrypt(?![A-Za-z0-9])")
ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
# Objects may be packed together: these streams are unpacked and read too.
PACKED = re.compile(rb"/ObjStm(?![A-Za-z0-9])")
STREAM = re.compile(rb"stream\r?\n")
TAIL = 2048
MOST_UNPACKED = 40 * 1024 * 1024


def check(content: bytes) -> None:
    """Raises FileFault. Names written with escapes (`/J#53`) count as what they say."""
    if b"%%EOF" not in content[-TAIL:]:
        raise FileFault("damaged")
    if not re.match(rb"%PDF-[12]\.\d", content):
        raise FileFault("damaged")
    _refuse_names(content)
    refuse_second_kind(content)
    if PACKED.search(_unescaped(content)):
        left = MOST_UNPACKED
        for start in STREAM.finditer(content):
            unpacked = _unpacked(content, start.end(), left)
            left -= len(unpacked)
            if left <= 0:
                raise FileFault("unpacks_too_large")
            # Pictures and fonts unpack too; a packed object begins with numbers.
            if re.match(rb"\s*\d+\s+\d+", unpacked):
                _refuse_names(unpacked)


def _refuse_names(content: bytes) -> None:
    plain = _unescaped(content)
    if ENCRYPTED.search(plain):
        raise FileFault("encrypted")
    if ACTIVE.search(plain):
        raise FileFault("active")


def _unescaped(content: bytes) -> bytes:
    return ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), content)


def _unpacked(content: bytes, start: int, most: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(memoryview(content)[start:], most)
    except zlib.error:
        return b""
