"""CSV text to rows of the matcher's tables, and rows back to CSV; called by `files.py`.

Every fault is collected with file, row, column, value and reason; nothing stops at the first.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import Any

from financing.matching.validation import row_faults

MOST_BYTES = 512 * 1024 * 1024
CSV_FIELD_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True)
class FileFault:
    """One fault of an input file; `row` is the line in the file, the header being line 1."""

    file: str
    row: int
    column: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, row {self.row}, {self.column} = {self.value!r}: {self.reason}"


class FileError(ValueError):
    """Input files hold faults; `faults` lists all of them."""

    def __init__(self, faults: Sequence[FileFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a CSV file: its cells by column, stripped."""

    row: int
    cells: dict[str, str]


def read_records(
    path: Path, *, known: set[str], required: set[str], faults: list[FileFault]
) -> list[Record]:
    """All lines of a CSV file (UTF-8 with or without BOM, else GB18030); faults are added."""
    name = path.name
    try:
        content = _text(path)
    except (OSError, ValueError) as error:
        faults.append(FileFault(name, 0, "", "", f"cannot be read: {error}"))
        return []
    csv.field_size_limit(CSV_FIELD_LIMIT)
    reader = csv.reader(io.StringIO(content, newline=""))
    records = []
    try:
        header = [cell.strip() for cell in next(reader, [])]
        faults += _header_faults(name, header, known, required)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                reason = f"{len(cells)} cells, the header has {len(header)}"
                faults.append(FileFault(name, reader.line_num, "", "", reason))
                continue
            named = dict(zip(header, (cell.strip() for cell in cells), strict=True))
            records.append(Record(reader.line_num, named))
    except csv.Error as error:
        faults.append(FileFault(name, reader.line_num, "", "", str(error)))
    return records


def _text(path: Path) -> str:
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"larger than {MOST_BYTES} bytes")
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030")


def _header_faults(
    name: str, header: list[str], known: set[str], required: set[str]
) -> list[FileFault]:
    faults = [FileFault(name, 1, c, c, "unknown column") for c in header if c not in known]
    faults += [
        FileFault(name, 1, column, column, "column is there twice")
        for column in sorted({c for c in header if header.count(c) > 1})
    ]
    missing = sorted(required - set(header))
    return faults + [FileFault(name, 1, column, "", "column is missing") for column in missing]


def column_names(row_type: type[Any]) -> list[str]:
    """The CSV columns of a table: all but the patents, which have their own file."""
    return [field.name for field in fields(row_type) if field.name != "patents"]


def required_names(row_type: type[Any]) -> set[str]:
    """Columns without which no row can be made."""
    return {
        field.name
        for field in fields(row_type)
        if field.default is MISSING and field.name != "patents"
    }


def parse_row(
    row_type: type[Any], record: Record, file: str, faults: list[FileFault], **given: Any
) -> Any | None:
    """The row of a record, or None when faults were added. `given`: values not in the file."""
    values: dict[str, Any] = dict(given)
    before = len(faults)
    for field in fields(row_type):
        if field.name in values or field.name == "patents":
            continue
        text = record.cells.get(field.name)
        if text is None or (text == "" and field.default is not MISSING):
            if field.default is MISSING:
                faults.append(FileFault(file, record.row, field.name, "", "column is missing"))
            continue
        allowed = field.metadata["allowed"]
        try:
            values[field.name] = allowed.parse(text)
            is_allowed = allowed.accepts(values[field.name])
        except ValueError:
            is_allowed = False
        if not is_allowed:
            faults.append(FileFault(file, record.row, field.name, text, allowed.allowed))
    if len(faults) > before:
        return None
    row = row_type(**values)
    # Each column is fine: what is left are columns that contradict each other.
    for fault in row_faults(row):
        text = record.cells.get(fault.column, str(fault.value))
        faults.append(FileFault(file, record.row, fault.column, text, fault.allowed))
    return row if len(faults) == before else None


def cell_text(field: "Field[Any]", value: Any) -> str:
    """A cell as `parse_row` reads it back."""
    return str(field.metadata["allowed"].text(value))


def write_rows(path: Path, names: Sequence[str], rows: Iterable[Any]) -> None:
    """Rows (any dataclass) as CSV: UTF-8, LF; several values separated by ";", nothing as ""."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(names)
        for row in rows:
            writer.writerow([plain(getattr(row, name)) for name in names])


def plain(value: Any) -> str:
    """One cell: nothing is empty, true is 1, days are ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple):
        return ";".join(plain(item) for item in value)
    return str(value)


def table_text(row_type: type[Any], rows: Iterable[Any]) -> str:
    """Rows of an input table as CSV text that `parse_row` reads back."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    named = [field for field in fields(row_type) if field.name != "patents"]
    writer.writerow([field.name for field in named])
    for row in rows:
        writer.writerow([cell_text(field, getattr(row, field.name)) for field in named])
    return stream.getvalue()
