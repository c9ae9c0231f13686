"""Whether a file somebody hands over is what it says and does nothing by itself; forms call it.

An allow-list by content: PDF, PNG, JPEG, XLSX, DOCX and CSV or plain text. The name's ending must
agree with the content. Everything else is refused with a reason. Nothing is written or run here.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from sipo_portal.attachments import office_files, pictures, plain_text, portable_documents
from sipo_portal.attachments.faults import FileFault

MOST_BYTES = 10 * 1024 * 1024
MOST_FILES = 5
NAME_LENGTH = 120
# Right-to-left overrides and the like, which make `fdp.exe` look like `exe.pdf`.
HIDDEN_CATEGORIES = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


class FileKind(StrEnum):
    PDF = "pdf"
    PNG = "png"
    JPEG = "jpeg"
    XLSX = "xlsx"
    DOCX = "docx"
    TEXT = "text"


ENDINGS = {
    "pdf": FileKind.PDF,
    "png": FileKind.PNG,
    "jpg": FileKind.JPEG,
    "jpeg": FileKind.JPEG,
    "xlsx": FileKind.XLSX,
    "docx": FileKind.DOCX,
    "csv": FileKind.TEXT,
    "txt": FileKind.TEXT,
}
OFFICE = "application/vnd.openxmlformats-officedocument."
MEDIA_TYPES = {
    FileKind.PDF: "application/pdf",
    FileKind.PNG: "image/png",
    FileKind.JPEG: "image/jpeg",
    FileKind.XLSX: f"{OFFICE}spreadsheetml.sheet",
    FileKind.DOCX: f"{OFFICE}wordprocessingml.document",
    FileKind.TEXT: "text/plain",
}
ACCEPTED_ENDINGS = ",".join(f".{ending}" for ending in ENDINGS)
# Beginnings of what is often handed over under another name.
SIGNATURES = (
    (b"%PDF-", FileKind.PDF),
    (b"\x89PNG\r\n\x1a\n", FileKind.PNG),
    (b"\xff\xd8\xff", FileKind.JPEG),
)
ZIP_BEGINNINGS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


class FileRefusal(StrEnum):
    """Why a file is not taken; the form translates the code."""

    NAME_BAD = "name_bad"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    KIND_NOT_ACCEPTED = "kind_not_accepted"
    OTHER_CONTENT = "other_content"
    DAMAGED = "damaged"
    TWO_IN_ONE = "two_in_one"
    ACTIVE = "active"
    ENCRYPTED = "encrypted"
    UNPACKS_TOO_LARGE = "unpacks_too_large"
    UNSAFE_MEMBER = "unsafe_member"


class FileRefused(Exception):
    """The file is not taken; `code` says why."""

    def __init__(self, code: FileRefusal) -> None:
        super().__init__(code.value)
        self.code = code


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that passed: its name without a path, the media type found, the content."""

    name: str
    media_type: str
    content: bytes


def check_file(name: str, content: bytes) -> CheckedFile:
    """`content` as what it is. Raises FileRefused; reads every byte once or a few times."""
    name = clean_name(name)
    if not content:
        raise FileRefused(FileRefusal.EMPTY)
    if len(content) > MOST_BYTES:
        raise FileRefused(FileRefusal.TOO_LARGE)
    stated = ENDINGS.get(name.rpartition(".")[2].lower())
    if stated is None:
        raise FileRefused(FileRefusal.KIND_NOT_ACCEPTED)
    try:
        found = _kind_of(content, stated)
        if found != stated:
            raise FileRefused(FileRefusal.OTHER_CONTENT)
        _CHECKS[found](content)
    except FileFault as fault:
        raise FileRefused(FileRefusal(fault.code)) from fault
    return CheckedFile(name, MEDIA_TYPES[found], content)


def clean_name(name: str) -> str:
    """The name as it is stored. Raises FileRefused for a path, a hidden character or no name."""
    name = unicodedata.normalize("NFC", name).strip()
    stem, dot, ending = name.rpartition(".")
    if (
        re.search(r"[\\/:*?\"<>|]", name)
        or any(unicodedata.category(each) in HIDDEN_CATEGORIES for each in name)
        or not dot
        or not stem.strip(" .")
    ):
        raise FileRefused(FileRefusal.NAME_BAD)
    return f"{stem[: NAME_LENGTH - len(ending) - 1]}.{ending}"


def _kind_of(content: bytes, stated: FileKind) -> FileKind:
    for signature, kind in SIGNATURES:
        if content.startswith(signature):
            return kind
    if content.startswith(ZIP_BEGINNINGS):
        found = office_files.kind_of(content)
        return FileKind(found) if found else _other()
    return FileKind.TEXT if stated == FileKind.TEXT else _other()


def _other() -> FileKind:
    raise FileRefused(FileRefusal.OTHER_CONTENT)


_CHECKS = {
    FileKind.PDF: portable_documents.check,
    FileKind.PNG: pictures.check_png,
    FileKind.JPEG: pictures.check_jpeg,
    FileKind.XLSX: office_files.check,
    FileKind.DOCX: office_files.check,
    FileKind.TEXT: plain_text.check,
}
