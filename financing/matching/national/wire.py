"""Whole numbers and arrays as bytes: what travels between a conductor and its shards.

Called by `rounds.py` and `shards.py`. The same content gives the same bytes.
"""

import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
MARK = b"SIPO-ROUNDS-1\n"


class WireError(ValueError):
    """Bytes that no conductor and no shard of this version has written."""


def to_wire(kind: str, plain: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """`plain`: whole numbers of any size, floats, texts, lists of them; arrays of any dtype."""
    table = [
        [name, array.dtype.newbyteorder("<").str, list(array.shape)]
        for name, array in arrays.items()
    ]
    head = json.dumps({"kind": kind, "plain": plain, "arrays": table}, sort_keys=True).encode()
    body = b"".join(
        np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()
        for array in arrays.values()
    )
    return MARK + len(head).to_bytes(4, "little") + head + zlib.compress(body, 1)


def from_wire(kind: str, data: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    """What `to_wire` was given. Raises WireError."""
    if not data.startswith(MARK):
        raise WireError("not written by rounds of this version")
    at = len(MARK) + 4
    length = int.from_bytes(data[len(MARK) : at], "little")
    head = json.loads(data[at : at + length])
    if head["kind"] != kind:
        raise WireError(f"a {head['kind']} where a {kind} was expected")
    body = zlib.decompress(data[at + length :])
    arrays = {}
    place = 0
    for name, dtype, shape in head["arrays"]:
        count = int(np.prod(shape, dtype=np.int64))
        array = np.frombuffer(body, dtype=dtype, count=count, offset=place).reshape(shape)
        arrays[name] = array.astype(np.dtype(dtype).newbyteorder("="))
        place += array.nbytes
    return head["plain"], arrays
