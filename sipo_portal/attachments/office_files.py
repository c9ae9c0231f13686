"""XLSX and DOCX: a plain zip archive, no programs, no bombs; `checking` calls it."""

import io
import re
import zipfile
import zlib

from sipo_portal.attachments.faults import MARKUP, FileFault

KINDS = {"xl/workbook.xml": "xlsx", "word/document.xml": "docx"}
CONTENT_TYPES = "[Content_Types].xml"
MOST_MEMBERS = 2_000
MOST_UNPACKED = 60 * 1024 * 1024
# Text of spreadsheets packs well, but not like this.
MOST_RATIO = 200
RATIO_FROM = 1024 * 1024
# Programs, controls and other documents inside the document.
ACTIVE_MEMBERS = re.compile(
    r"vbaproject|vbadata|/activex/|/embeddings/|/macrosheets/|/dialogsheets/|/externallinks/"
    r"|/customui/|/webextensions/|\.(exe|dll|js|vbs|hta|bat|cmd|ps1|scr|html?|svg|swf|jar)$",
    re.I,
)
ACTIVE_TYPES = re.compile(rb"macroEnabled|vbaProject|activeX|oleObject", re.I)
ENTITIES = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.I)
# Dynamic data exchange: a cell or field that starts a program.
EXCHANGE = re.compile(rb"<ddeLink\b|\bDDEAUTO\b|<w:instrText[^>]*>\s*DDE\b", re.I)
RELATION = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>", re.I)


def kind_of(content: bytes) -> str:
    """`xlsx`, `docx`, or "" for any other archive. Raises FileFault for a broken one."""
    names = {each.filename for each in _open(content).infolist()}
    if CONTENT_TYPES not in names:
        return ""
    return next((kind for name, kind in KINDS.items() if name in names), "")


def check(content: bytes) -> None:
    """Raises FileFault. Everything is unpacked once, within limits, and checked as it is read."""
    archive = _open(content)
    members = archive.infolist()
    _refuse_shape(content, members)
    for member in members:
        _refuse_name(member.filename)
        if member.is_dir():
            continue
        try:
            body = archive.read(member)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
            raise FileFault("damaged") from error
        _refuse_content(member.filename.lower(), body)


def _open(content: bytes) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise FileFault("damaged") from error


def _refuse_shape(content: bytes, members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MOST_MEMBERS or sum(each.file_size for each in members) > MOST_UNPACKED:
        raise FileFault("unpacks_too_large")
    if any(
        each.file_size > RATIO_FROM and each.file_size > MOST_RATIO * max(each.compress_size, 1)
        for each in members
    ):
        raise FileFault("unpacks_too_large")
    if any(each.flag_bits & 0x1 for each in members):
        raise FileFault("encrypted")
    if len({each.filename.lower() for each in members}) != len(members):
        raise FileFault("unsafe_member")
    # Nothing before the first member and nothing behind the end record.
    end = content.rfind(b"PK\x05\x06")
    comment = int.from_bytes(content[end + 20 : end + 22], "little")
    if min(each.header_offset for each in members) != 0 or end + 22 + comment != len(content):
        raise FileFault("two_in_one")


def _refuse_name(name: str) -> None:
    if (
        name.startswith(("/", "\\"))
        or "\\" in name
        or ":" in name
        or "\0" in name
        or ".." in name.split("/")
    ):
        raise FileFault("unsafe_member")
    if ACTIVE_MEMBERS.search(f"/{name}"):
        raise FileFault("active")


def _refuse_content(name: str, body: bytes) -> None:
    if name.endswith((".xml", ".rels", ".vml")):
        # UTF-16 would hide what is looked for.
        if body[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in body[:64]:
            raise FileFault("damaged")
        if ENTITIES.search(body) or EXCHANGE.search(body):
            raise FileFault("active")
    elif MARKUP.search(body) or body.startswith((b"MZ", b"\x7fELF", b"#!")):
        raise FileFault("active")
    if name == CONTENT_TYPES.lower() and ACTIVE_TYPES.search(body):
        raise FileFault("active")
    if name.endswith(".rels"):
        for relation in RELATION.findall(body):
            is_outside = re.search(rb'TargetMode\s*=\s*["\']External', relation, re.I)
            # Links in the text are followed by a person; everything else loads by itself.
            if is_outside and b"/hyperlink" not in relation:
                raise FileFault("active")
