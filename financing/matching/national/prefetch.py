"""Asks the processor for a line of records before it is needed; for scans that skip most lines.

Whoever reads line after line is served ahead by the hardware. A scan of the few lines a sieve left
waits for memory at each, twice as long as its work takes, unless it says where it goes next.
"""

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from financing.matching.national.problem import Records

TO_READ, NEAREST, DATA = 0, 3, 1
"""As LLVM's `llvm.prefetch` counts them."""


def _prefetch(typing: Any, records: Any, line: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        view = context.make_array(kind)(context, builder, arguments[0])
        place = cgutils.get_item_pointer(  # type: ignore[no-untyped-call]
            context, builder, kind, view, [arguments[1]]
        )
        word = ir.IntType(32)
        takes = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, word, word, word])
        asked = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, takes, "llvm.prefetch.p0"
        )
        place = builder.bitcast(place, cgutils.voidptr_t)
        builder.call(asked, [place, word(TO_READ), word(NEAREST), word(DATA)])
        return context.get_dummy_value()

    return types.void(records, types.intp), generate


prefetch = cast(Callable[[Records, int], None], intrinsic(_prefetch))
"""Line of an array, also one past its end; compiled code only. Changes nothing but the time."""
