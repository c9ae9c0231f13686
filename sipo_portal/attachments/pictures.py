"""PNG and JPEG: whole, nothing behind the end, no monstrous size; `checking` calls it."""

import struct
import zlib

from sipo_portal.attachments.faults import FileFault, refuse_second_kind

PNG_BEGINNING = 8
LONGEST_SIDE = 20_000
MOST_PIXELS = 100_000_000
# Segments of a JPEG without a length: restart marks, start and end.
BARE_MARKERS = {0x01, *range(0xD0, 0xDA)}
FRAME_MARKERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


def check_png(content: bytes) -> None:
    """Every chunk with its checksum, the header first, the end last. Raises FileFault."""
    place = PNG_BEGINNING
    kinds: list[bytes] = []
    while place < len(content):
        head = content[place : place + 8]
        if len(head) < 8:
            raise FileFault("damaged")
        length, kind = struct.unpack(">I4s", head)
        body = content[place + 8 : place + 8 + length]
        stored = content[place + 8 + length : place + 12 + length]
        if len(body) != length or len(stored) != 4:
            raise FileFault("damaged")
        if zlib.crc32(kind + body) != struct.unpack(">I", stored)[0]:
            raise FileFault("damaged")
        if not kinds:
            if kind != b"IHDR" or length != 13:
                raise FileFault("damaged")
            _refuse_monster(*struct.unpack(">II", body[:8]))
        kinds.append(kind)
        place += 12 + length
        if kind == b"IEND":
            break
    if not kinds or kinds[-1] != b"IEND" or b"IDAT" not in kinds:
        raise FileFault("damaged")
    if place != len(content):
        raise FileFault("two_in_one")
    refuse_second_kind(content)


def check_jpeg(content: bytes) -> None:
    """Segments up to the picture data, a frame among them, the end mark last. Raises FileFault."""
    place, has_frame = 2, False
    while True:
        if content[place : place + 1] != b"\xff" or place + 4 > len(content):
            raise FileFault("damaged")
        marker = content[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        if marker in BARE_MARKERS:
            place += 2
            continue
        (length,) = struct.unpack(">H", content[place + 2 : place + 4])
        if length < 2 or place + 2 + length > len(content):
            raise FileFault("damaged")
        if marker in FRAME_MARKERS:
            has_frame = True
            if length < 8:
                raise FileFault("damaged")
            _refuse_monster(*struct.unpack(">HH", content[place + 5 : place + 9])[::-1])
        place += 2 + length
        if marker == 0xDA:
            break
    if not has_frame or not content.rstrip(b"\0").endswith(b"\xff\xd9"):
        raise FileFault("damaged")
    refuse_second_kind(content)


def _refuse_monster(width: int, height: int) -> None:
    if not width or not height:
        raise FileFault("damaged")
    if max(width, height) > LONGEST_SIDE or width * height > MOST_PIXELS:
        raise FileFault("unpacks_too_large")
