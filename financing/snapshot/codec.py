"""Chunks as bytes and back: a header in JSON, then every column's values as they lie in memory.

Little-endian, each column from a multiple of eight bytes on. Columns that depend on the day are
left out. `refreshing.py` stores them; a change of the layout changes the digest of the code.
"""

import json
from dataclasses import fields
from typing import Any

import numpy as np

from financing.matching.national.tables import (
    InsuranceRequestColumns,
    InsuredPatentColumns,
    LoanRequestColumns,
    PatentColumns,
)
from financing.matching.tables import RequestKind
from financing.snapshot.chunks import Chunk, arrays_of, codes_of
from financing.snapshot.dated import Dated

DERIVED = {"waiting_days", "certificates", "hard_grounds", "failures"}
TABLES: dict[RequestKind, tuple[type[Any], type[Any]]] = {
    "loan": (LoanRequestColumns, PatentColumns),
    "insurance": (InsuranceRequestColumns, InsuredPatentColumns),
}
_ALIGNED = 8


def to_bytes(chunk: Chunk) -> bytes:
    """The chunk as it is stored."""
    columns = chunk.columns
    arrays: dict[str, np.ndarray] = {
        "business": chunk.business,
        "submitted_on": chunk.submitted_on,
        "patents_start": columns.patents_start,
    }
    arrays |= {f"own.{n}": v for n, v in arrays_of(columns).items() if n not in DERIVED}
    arrays |= {f"patent.{n}": v for n, v in arrays_of(columns.patents).items() if n not in DERIVED}
    for name, each in (("certificates", chunk.certificates), ("flags", chunk.flags)):
        if each is not None:
            arrays |= {
                f"{name}.start": each.start,
                f"{name}.day": each.day,
                f"{name}.bits": each.bits,
            }
    return arrays_to_bytes(arrays, codes_of(columns))


def arrays_to_bytes(arrays: dict[str, np.ndarray], codes: dict[str, tuple[str, ...]]) -> bytes:
    """Named columns of any lengths, and tuples of codes."""
    header = {
        "arrays": [[name, values.dtype.name, len(values)] for name, values in arrays.items()],
        "codes": codes,
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    parts = [len(text).to_bytes(_ALIGNED, "little"), _padded(text)]
    parts += [_padded(np.ascontiguousarray(values).tobytes()) for values in arrays.values()]
    return b"".join(parts)


def arrays_from_bytes(data: bytes) -> tuple[dict[str, np.ndarray], dict[str, tuple[str, ...]]]:
    """The reverse; the arrays may not be written to."""
    length = int.from_bytes(data[:_ALIGNED], "little")
    header = json.loads(data[_ALIGNED : _ALIGNED + length])
    at = _ALIGNED + length + -length % _ALIGNED
    arrays: dict[str, np.ndarray] = {}
    for name, dtype, count in header["arrays"]:
        arrays[name] = np.frombuffer(data, dtype=np.dtype(dtype), count=count, offset=at)
        size = arrays[name].nbytes
        at += size + -size % _ALIGNED
    return arrays, {name: tuple(codes) for name, codes in header["codes"].items()}


def from_bytes(kind: RequestKind, data: bytes) -> Chunk:
    """The chunk stored as `data`; its arrays may not be written to."""
    arrays, codes = arrays_from_bytes(data)
    own, patents = TABLES[kind]
    lines, patents_count = len(arrays["business"]), int(arrays["patents_start"][-1])
    return Chunk(
        columns=own(
            **_columns(own, "own.", arrays, lines),
            patents_start=arrays["patents_start"],
            patents=patents(**_columns(patents, "patent.", arrays, patents_count)),
            **codes,
        ),
        business=arrays["business"],
        submitted_on=arrays["submitted_on"],
        certificates=_dated("certificates", arrays) if "certificates.start" in arrays else None,
        flags=_dated("flags", arrays),
    )


def _columns(
    table: type[Any], prefix: str, arrays: dict[str, np.ndarray], count: int
) -> dict[str, np.ndarray]:
    return {
        one.name: arrays[prefix + one.name]
        if one.name not in DERIVED
        else np.zeros(count, dtype=one.metadata["allowed"].dtype)
        for one in fields(table)
        if "allowed" in one.metadata and one.name != "patents_start"
    }


def _dated(name: str, arrays: dict[str, np.ndarray]) -> Dated:
    return Dated(arrays[f"{name}.start"], arrays[f"{name}.day"], arrays[f"{name}.bits"])


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNED)
