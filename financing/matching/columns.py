"""Kinds of columns of the matcher's tables: what a value may be, and how it is read from text.

`tables.py` and `policy.py` declare their fields with these; `validation.py` checks rows against
them and `files.py` reads and writes CSV cells with them, so a column is described exactly once.
"""

import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from datetime import date
from typing import Any, Protocol

PPM = 1_000_000
"""Parts per million: 5.25 % is 52_500 ppm; a share of 0.2 is 200_000 ppm."""

MOST_FEN = 10**15
"""Largest amount a table accepts: ten trillion yuan, far above any offer, far below int64."""

PART_SEPARATOR = ";"
FIELD_SEPARATOR = ":"


class Allowed(Protocol):
    """What a column accepts; `parse` raises ValueError where the text is not of its form."""

    @property
    def allowed(self) -> str: ...

    def accepts(self, value: object) -> bool: ...

    def parse(self, text: str) -> object: ...

    def text(self, value: object) -> str: ...


@dataclass(frozen=True)
class Whole:
    """A whole number within bounds, both inclusive."""

    least: int = 0
    most: int = MOST_FEN

    @property
    def allowed(self) -> str:
        return f"whole number from {self.least} to {self.most}"

    def accepts(self, value: object) -> bool:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return is_whole and self.least <= value <= self.most  # type: ignore[operator]

    def parse(self, text: str) -> object:
        # int() alone would take "1_000", " 1" and full-width digits.
        if not re.fullmatch(r"-?[0-9]{1,18}", text):
            raise ValueError(text)
        return int(text)

    def text(self, value: object) -> str:
        return str(value)


@dataclass(frozen=True)
class Text:
    """Text of a given pattern."""

    pattern: str
    allowed: str

    def accepts(self, value: object) -> bool:
        return isinstance(value, str) and re.fullmatch(self.pattern, value) is not None

    def parse(self, text: str) -> object:
        return text

    def text(self, value: object) -> str:
        return str(value)


@dataclass(frozen=True)
class OneOf:
    """One of a list of codes."""

    codes: tuple[str, ...]

    @property
    def allowed(self) -> str:
        return "one of " + ", ".join(self.codes)

    def accepts(self, value: object) -> bool:
        return isinstance(value, str) and value in self.codes

    def parse(self, text: str) -> object:
        return text

    def text(self, value: object) -> str:
        return str(value)


@dataclass(frozen=True)
class Flag:
    """True or false; in files 1 or 0."""

    allowed: str = "true or false (1 or 0 in files)"

    def accepts(self, value: object) -> bool:
        return isinstance(value, bool)

    def parse(self, text: str) -> object:
        known = {"1": True, "true": True, "0": False, "false": False}
        if text.lower() not in known:
            raise ValueError(text)
        return known[text.lower()]

    def text(self, value: object) -> str:
        return "1" if value else "0"


@dataclass(frozen=True)
class Day:
    """A calendar day, ISO 8601."""

    allowed: str = "day as YYYY-MM-DD"

    def accepts(self, value: object) -> bool:
        # datetime is a date too, but compares with none: refuse it.
        return type(value) is date

    def parse(self, text: str) -> object:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError(text)
        return date.fromisoformat(text)

    def text(self, value: object) -> str:
        return value.isoformat() if isinstance(value, date) else ""


@dataclass(frozen=True)
class Optional:
    """The inner column, or nothing (None; an empty cell in files)."""

    inner: Allowed

    @property
    def allowed(self) -> str:
        return f"{self.inner.allowed}, or nothing"

    def accepts(self, value: object) -> bool:
        return value is None or self.inner.accepts(value)

    def parse(self, text: str) -> object:
        return None if text == "" else self.inner.parse(text)

    def text(self, value: object) -> str:
        return "" if value is None else self.inner.text(value)


@dataclass(frozen=True)
class Many:
    """Several values: a frozenset where order means nothing, else a tuple; ";" between in files."""

    inner: Allowed
    container: type[frozenset[Any]] | type[tuple[Any, ...]] = frozenset

    @property
    def allowed(self) -> str:
        return f"any number of: {self.inner.allowed}"

    def accepts(self, value: object) -> bool:
        return isinstance(value, self.container) and all(self.inner.accepts(v) for v in value)

    def parse(self, text: str) -> object:
        parts = [part.strip() for part in text.split(PART_SEPARATOR) if part.strip()]
        return self.container(self.inner.parse(part) for part in parts)

    def text(self, value: object) -> str:
        parts = [self.inner.text(v) for v in value]  # type: ignore[attr-defined]
        return PART_SEPARATOR.join(sorted(parts) if self.container is frozenset else parts)


@dataclass(frozen=True)
class Part:
    """A small row inside a cell: its fields in the order of its class, ":" between in files."""

    row: Callable[..., Any]

    @property
    def allowed(self) -> str:
        named = [f"{f.name} ({f.metadata['allowed'].allowed})" for f in fields(self._cls)]
        return FIELD_SEPARATOR.join(named)

    @property
    def _cls(self) -> Any:
        return self.row

    def accepts(self, value: object) -> bool:
        return isinstance(value, self._cls) and all(
            f.metadata["allowed"].accepts(getattr(value, f.name)) for f in fields(self._cls)
        )

    def parse(self, text: str) -> object:
        named = fields(self._cls)
        cells = text.split(FIELD_SEPARATOR)
        if len(cells) != len(named):
            raise ValueError(text)
        return self.row(
            *(f.metadata["allowed"].parse(c.strip()) for f, c in zip(named, cells, strict=True))
        )

    def text(self, value: object) -> str:
        named = fields(self._cls)
        return FIELD_SEPARATOR.join(
            f.metadata["allowed"].text(getattr(value, f.name)) for f in named
        )


def column(allowed: Allowed, meaning: str, *, unit: str = "", default: Any = MISSING) -> Any:
    """A dataclass field that carries its own documentation and check.

    `unit` is "" for codes, texts and counts that speak for themselves.
    """
    metadata = {"allowed": allowed, "meaning": meaning, "unit": unit}
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


# Starting with a letter or digit, an id is never a live formula in a spreadsheet.
ID = Text(
    r"\w[^\s;:,]{0,63}",
    "text of 1 to 64 characters, first a letter or digit, without blanks, ';', ':' or ','",
)
CODE = Text(r"[a-z][a-z0-9_]{0,63}", "lower-case code, letters, digits and _")
FEN = Whole()
RATE = Whole(0, PPM)
SIGNED_RATE = Whole(-PPM, PPM)
MONTHS = Whole(1, 600)
COUNT = Whole(0, 10**9)
DIVISION = Text(r"[1-9][0-9]{5}", "six-digit division code of GB/T 2260")
INDUSTRY = Text(
    r"[A-T]([0-9]{2,4})?", "GB/T 4754-2017 code with its section letter: C, C39, C391 or C3911"
)
DAY = Day()
FLAG = Flag()
