"""One spelling of rows whatever their order, and digests over it; for engine and decisions."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any


def canonical_value(value: Any) -> Any:
    """JSON value of a cell; inner rows and sets are sorted, for their order means nothing."""
    if is_dataclass(value) and not isinstance(value, type):
        return [canonical_value(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(canonical_value(item) for item in value)
    if isinstance(value, tuple) and value and is_dataclass(value[0]):
        return sorted((canonical_value(item) for item in value), key=canonical_text)
    if isinstance(value, tuple | list):
        return [canonical_value(item) for item in value]
    return value


def canonical_text(value: Any) -> str:
    """The one JSON text of a value: no blanks, UTF-8, integers only."""
    return json.dumps(canonical_value(value), ensure_ascii=False, separators=(",", ":"))


def digest(named_tables: dict[str, Iterable[Any]]) -> str:
    """SHA-256 over tables: each table's name, then its rows' canonical texts in sorted order."""
    hasher = hashlib.sha256()
    for name in sorted(named_tables):
        hasher.update(f"#{name}\n".encode())
        for text in sorted(canonical_text(row) for row in named_tables[name]):
            hasher.update(text.encode() + b"\n")
    return hasher.hexdigest()


def lottery_number(seed: str, *parts: str) -> int:
    """A number that anyone can draw again from the published seed and the ids."""
    text = canonical_text([seed, *parts])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
