"""The size table of 国统字〔2017〕213号 (after 工信部联企业〔2011〕300号); read by size_class only.

Not in it, and so not covered: rail (G53), finance (J), own-property letting (K704), education (P),
health (Q84), S and T.
"""

from dataclasses import dataclass
from typing import Literal

Indicator = Literal["employees", "revenue_wan", "assets_wan"]


@dataclass(frozen=True, slots=True)
class Bound:
    """Inclusive lower bounds of one indicator: persons, or 10,000 yuan."""

    indicator: Indicator
    small_from: int
    medium_from: int
    large_from: int


@dataclass(frozen=True, slots=True)
class SizeRow:
    """One row: its name, the code prefixes it holds (full form), its bounds in table order."""

    name: str
    codes: tuple[str, ...]
    bounds: tuple[Bound, ...]


def _staff(small_from: int, medium_from: int, large_from: int) -> Bound:
    return Bound("employees", small_from, medium_from, large_from)


def _revenue(small_from: int, medium_from: int, large_from: int) -> Bound:
    return Bound("revenue_wan", small_from, medium_from, large_from)


def _assets(small_from: int, medium_from: int, large_from: int) -> Bound:
    return Bound("assets_wan", small_from, medium_from, large_from)


ROWS: tuple[SizeRow, ...] = (
    SizeRow("农、林、牧、渔业", ("A",), (_revenue(50, 500, 20_000),)),
    SizeRow("工业", ("B", "C", "D"), (_staff(20, 300, 1_000), _revenue(300, 2_000, 40_000))),
    SizeRow("建筑业", ("E",), (_revenue(300, 6_000, 80_000), _assets(300, 5_000, 80_000))),
    SizeRow("批发业", ("F51",), (_staff(5, 20, 200), _revenue(1_000, 5_000, 40_000))),
    SizeRow("零售业", ("F52",), (_staff(10, 50, 300), _revenue(100, 500, 20_000))),
    SizeRow(
        "交通运输业",
        ("G54", "G55", "G56", "G57", "G58", "G591"),
        (_staff(20, 300, 1_000), _revenue(200, 3_000, 30_000)),
    ),
    SizeRow(
        "仓储业",
        ("G592", "G593", "G594", "G595", "G596", "G599"),
        (_staff(20, 100, 200), _revenue(100, 1_000, 30_000)),
    ),
    SizeRow("邮政业", ("G60",), (_staff(20, 300, 1_000), _revenue(100, 2_000, 30_000))),
    SizeRow("住宿业", ("H61",), (_staff(10, 100, 300), _revenue(100, 2_000, 10_000))),
    SizeRow("餐饮业", ("H62",), (_staff(10, 100, 300), _revenue(100, 2_000, 10_000))),
    SizeRow("信息传输业", ("I63", "I64"), (_staff(10, 100, 2_000), _revenue(100, 1_000, 100_000))),
    SizeRow("软件和信息技术服务业", ("I65",), (_staff(10, 100, 300), _revenue(50, 1_000, 10_000))),
    SizeRow(
        "房地产开发经营", ("K701",), (_revenue(100, 1_000, 200_000), _assets(2_000, 5_000, 10_000))
    ),
    SizeRow("物业管理", ("K702",), (_staff(100, 300, 1_000), _revenue(500, 1_000, 5_000))),
    SizeRow("租赁和商务服务业", ("L",), (_staff(10, 100, 300), _assets(100, 8_000, 120_000))),
    SizeRow(
        "其他未列明行业",
        ("M", "N", "O", "Q85", "R", "K703", "K709"),
        (_staff(10, 100, 300),),
    ),
)
