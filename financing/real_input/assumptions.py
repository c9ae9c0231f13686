"""Seeded draws for what the registers do not say; the same on every machine, whatever the order."""

import hashlib
import math
from statistics import NormalDist
from typing import TypeVar

SEED = "2014-57"
T = TypeVar("T")


def draw(key: str, what: str) -> float:
    """A number in (0, 1) that depends on the seed, the key and what it is drawn for alone."""
    text = f"{SEED}\x1f{what}\x1f{key}".encode()
    return (int.from_bytes(hashlib.sha256(text).digest()[:6]) + 0.5) / 2**48


def between(key: str, what: str, least: float, most: float) -> float:
    """Evenly between two bounds."""
    return least + (most - least) * draw(key, what)


def lognormal(key: str, what: str, median: float, sigma: float) -> float:
    """Lognormal around a median."""
    return math.exp(math.log(median) + sigma * NormalDist().inv_cdf(draw(key, what)))


def one_of(key: str, what: str, values: tuple[T, ...]) -> T:
    """One of the values, each as likely."""
    return values[int(draw(key, what) * len(values))]
