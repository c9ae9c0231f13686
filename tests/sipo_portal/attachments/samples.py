"""Files made in memory: honest ones of every kind, and the hostile ones that look like them."""

import io
import struct
import zipfile
import zlib

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    b"\xff\xc0\x00\x0b\x08\x00\x01\x00\x01\x01\x01\x11\x00"
    b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x7f\xff\xd9"
)
CONTENT_TYPES = b'<?xml version="1.0"?><Types><Default Extension="xml"/></Types>'
BOOK = {"[Content_Types].xml": CONTENT_TYPES, "xl/workbook.xml": b"<workbook/>"}
LETTER = {"[Content_Types].xml": CONTENT_TYPES, "word/document.xml": b"<w:document/>"}


def png(width: int = 1, height: int = 1, extra: bytes = b"") -> bytes:
    """A grey picture of one pixel whatever the header says."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + (chunk(b"tEXt", extra) if extra else b"")
        + chunk(b"IDAT", zlib.compress(b"\0\0"))
        + chunk(b"IEND", b"")
    )


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def archive(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, body in members.items():
            made.writestr(name, body)
    return stream.getvalue()


def encrypted(content: bytes) -> bytes:
    """The archive with every member marked as encrypted."""
    found = bytearray(content)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = found.find(signature)
        while place >= 0:
            found[place + offset] |= 1
            place = found.find(signature, place + 4)
    return bytes(found)


def packed_pdf(inside: bytes) -> bytes:
    """A PDF whose objects are packed into a stream."""
    body = zlib.compress(b"1 0 " + inside)
    head = b"%PDF-1.5\n2 0 obj<</Type/ObjStm/Filter/FlateDecode>>stream\n"
    return head + body + b"\nendstream endobj\n%%EOF\n"
