"""Reading tables people made: encoding, columns, and every fault with row, column and reason.

Called by the import services of the apps::

    table = read_table(path, required=("name", "region"), optional=("note",))
    faults = list(table.faults)                         # rows of another length and the like
    for row in table.rows:
        cells = RowReader(row, faults)
        region = cells.text("region")
        amount = cells.read("amount", YuanField())      # any form field; None when it is faulty
        if taken(region):
            cells.refuse("region", _("This region is there already."))
    if faults:
        raise ImportRefused(faults)

Nothing here touches the database. Reasons are translated texts for the person who made the file.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.forms import Field
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

HEADER_ROW = 1
MOST_BYTES = 200 * 1024 * 1024
MOST_ROWS = 100_000
# A longer cell is no value but a broken quotation mark.
LONGEST_CELL = 20_000
SHOWN_OF_A_VALUE = 60

Text = str | Promise


@dataclass(frozen=True, slots=True)
class RowFault:
    """One fault: `row` counts the file's lines of records, the header being 1; 0 is the file."""

    row: int
    column: str
    value: str
    reason: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return " · ".join(str(part) for part in (self.row, self.column, self.value, self.reason))


class ImportRefused(Exception):
    """The file was not taken over, no row of it; `faults` says why, all of them, by row."""

    def __init__(self, faults: Iterable[RowFault]) -> None:
        self.faults = sorted(faults, key=lambda fault: fault.row)
        super().__init__(
            ngettext("%(count)d fault", "%(count)d faults", len(self.faults))
            % {"count": len(self.faults)}
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One record: `number` as a spreadsheet shows it (the header is 1), texts by column name."""

    number: int
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """The records of a file that can be looked at, and the faults of those that cannot."""

    rows: list[Row]
    faults: list[RowFault]


class RowReader:
    """Reads the cells of one row and notes their faults; an absent column reads as empty."""

    def __init__(self, row: Row, faults: list[RowFault]) -> None:
        self.row, self.faults = row, faults

    def text(self, column: str) -> str:
        return self.row.values.get(column, "")

    def read(self, column: str, field: Field) -> Any:
        """The cell as `field` cleans it; None after noting a fault."""
        try:
            return field.clean(self.text(column))
        except ValidationError as error:
            for message in error.messages:
                self.refuse(column, message)
            return None

    def refuse(self, column: str, reason: Text) -> None:
        """Note a fault of this row; `column` is empty for the row as a whole."""
        value = self.text(column)[:SHOWN_OF_A_VALUE]
        self.faults.append(RowFault(self.row.number, column, value, str(reason)))


def read_rows(
    file: Path | str | BinaryIO,
    *,
    required: Sequence[str],
    optional: Sequence[str] = (),
    ignore_unknown: bool = False,
    most_rows: int = MOST_ROWS,
) -> list[Row]:
    """As `read_table`, for callers without faults of their own: one faulty row refuses the file."""
    table = read_table(
        file,
        required=required,
        optional=optional,
        ignore_unknown=ignore_unknown,
        most_rows=most_rows,
    )
    if table.faults:
        raise ImportRefused(table.faults)
    return table.rows


def read_table(
    file: Path | str | BinaryIO,
    *,
    required: Sequence[str],
    optional: Sequence[str] = (),
    ignore_unknown: bool = False,
    most_rows: int = MOST_ROWS,
) -> Table:
    """The records of a CSV file in UTF-8 (with or without BOM), UTF-16 with BOM or GB18030.

    Comma, semicolon or tab; the first line names the columns, in any order. Blank lines are left
    out but counted. A row of another length, with a cell too long or not readable is a fault of
    the table, so that the caller can name it beside those of the other rows. Raises ImportRefused
    for an unreadable or empty file, missing, repeated or (unless `ignore_unknown`) unknown columns,
    and more than `most_rows` records.
    """
    text = decode(_bytes_of(file))
    lines = text.count("\n")
    # Cheap and before parsing: a far too long file is refused at once.
    if lines > 2 * most_rows + 1:
        raise _too_many(most_rows)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    records: list[list[str]] = []
    faults: list[RowFault] = []
    try:
        for record in reader:
            records.append(record)
    except csv.Error:
        reason = _("The line cannot be read: a quotation mark is not closed or a cell is too long.")
        faults.append(RowFault(len(records) + 1, "", "", reason))
        if not records:
            raise ImportRefused(faults)
    if not records or not any(cell.strip() for cell in records[0]):
        raise ImportRefused([RowFault(0, "", "", _("The file is empty."))])
    names = [cell.strip().lower() for cell in records[0]]
    known = [*required, *optional]
    _check_columns(names, required, known, ignore_unknown)
    if len(records) - 1 > most_rows:
        raise _too_many(most_rows)
    table = _rows(records, names, set(known))
    return Table(table.rows, [*table.faults, *faults])


def decode(content: bytes) -> str:
    """Text of a file in one of the encodings above; ImportRefused when it is none of them."""
    encodings = ["utf-8-sig", "gb18030"]
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    reason = _("The file is no text table in UTF-8 or GB18030. Save it as CSV and try again.")
    raise ImportRefused([RowFault(0, "", "", reason)])


def _bytes_of(file: Path | str | BinaryIO) -> bytes:
    if isinstance(file, str | Path):
        try:
            with Path(file).open("rb") as opened:
                content = opened.read(MOST_BYTES + 1)
        except OSError as error:
            reason = _("The file cannot be opened: %(reason)s.") % {"reason": error.strerror}
            raise ImportRefused([RowFault(0, "", str(file)[-SHOWN_OF_A_VALUE:], reason)])
    else:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        reason = _("The file is larger than %(limit)d MB.") % {"limit": MOST_BYTES // 1024**2}
        raise ImportRefused([RowFault(0, "", "", reason)])
    return content


def _delimiter(text: str) -> str:
    header = text.split("\n", 1)[0]
    return max(",;\t", key=header.count)


def _check_columns(
    names: list[str], required: Sequence[str], known: list[str], ignore_unknown: bool
) -> None:
    faults = [
        RowFault(HEADER_ROW, name, "", _("This column is missing."))
        for name in required
        if name not in names
    ]
    for position, name in enumerate(names):
        if name and name in names[:position]:
            faults.append(RowFault(HEADER_ROW, name, "", _("This column is there twice.")))
        elif name not in known and not ignore_unknown:
            allowed = _("There is no such column. Columns: %(columns)s.") % {
                "columns": ", ".join(known)
            }
            faults.append(RowFault(HEADER_ROW, name, name[:SHOWN_OF_A_VALUE], allowed))
    if faults:
        raise ImportRefused(faults)


def _rows(records: list[list[str]], names: list[str], known: set[str]) -> Table:
    rows: list[Row] = []
    faults: list[RowFault] = []
    for number, record in enumerate(records[1:], start=HEADER_ROW + 1):
        cells = [cell.strip() for cell in record]
        if not any(cells):
            continue
        if len(cells) != len(names):
            reason = _("The row has %(found)d cells, the header %(expected)d.") % {
                "found": len(cells),
                "expected": len(names),
            }
            faults.append(RowFault(number, "", "", reason))
            continue
        values = {name: cell for name, cell in zip(names, cells, strict=True) if name in known}
        too_long = [
            RowFault(number, name, cell[:SHOWN_OF_A_VALUE], _("The cell is too long."))
            for name, cell in values.items()
            if len(cell) > LONGEST_CELL
        ]
        if too_long:
            faults += too_long
        else:
            rows.append(Row(number, values))
    return Table(rows, faults)


def _too_many(most_rows: int) -> ImportRefused:
    reason = _("The file has more than %(limit)d rows. Split it.") % {"limit": most_rows}
    return ImportRefused([RowFault(0, "", "", reason)])
