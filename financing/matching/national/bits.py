"""Bits of words in compiled code: the lowest one set, how many, rows turned into columns."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numba.cpython.unsafe import numbers

from financing.matching.national.compiled import bare, inlined
from financing.matching.national.problem import Words

BITS = 64

lowest_bit = cast(Callable[[Any], int], numbers.trailing_zeros)
"""Place of the lowest bit set; compiled code only, and not for 0."""


@inlined
def ones(word: Any) -> Any:
    """How many bits are set."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@bare
def transpose(words: Words, at: int) -> None:
    """64 words from `at` on as 64 rows of bits, in place: bit c of word r becomes bit r of word c.

    Halves change places, then quarters within each half, and so on (Hacker's Delight, 7-3).
    """
    mask = np.uint64(0x00000000FFFFFFFF)
    width = 32
    while width > 0:
        shift = np.uint64(width)
        for begin in range(at, at + BITS, 2 * width):
            for k in range(begin, begin + width):
                moved = ((words[k] >> shift) ^ words[k + width]) & mask
                words[k] ^= moved << shift
                words[k + width] ^= moved
        width >>= 1
        mask ^= mask << np.uint64(width)


@bare
def sort_up(values: Words, spare: Words, count: int) -> None:
    """The first `count` values in rising order; `spare` is as long. No memory is asked for."""
    run = 8
    for begin in range(0, count, run):
        for x in range(begin + 1, min(begin + run, count)):
            value = values[x]
            y = x
            while y > begin and values[y - 1] > value:
                values[y] = values[y - 1]
                y -= 1
            values[y] = value
    while run < count:
        for begin in range(0, count, 2 * run):
            middle, end = min(begin + run, count), min(begin + 2 * run, count)
            x, y = begin, middle
            for to in range(begin, end):
                if y >= end or (x < middle and values[x] <= values[y]):
                    spare[to] = values[x]
                    x += 1
                else:
                    spare[to] = values[y]
                    y += 1
        for x in range(count):
            values[x] = spare[x]
        run *= 2
