"""The divisions of GB/T 2260 as plain data; called by the Region loader and by businesses.rules."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Level = Literal["province", "prefecture", "county"]
_LEVELS: dict[str, Level] = {"province": "province", "prefecture": "prefecture", "county": "county"}
_DATA = Path(__file__).with_name("data") / "divisions.tsv"


@dataclass(frozen=True, slots=True)
class Division:
    """One row: six digits, level, Chinese name, romanised name."""

    code: str
    level: Level
    name: str
    name_en: str

    @property
    def parent_code(self) -> str | None:
        """Code of the division above; None for a province."""
        if self.level == "province":
            return None
        if self.level == "prefecture":
            return self.code[:2] + "0000"
        return self.code[:4] + "00"


@cache
def all_divisions() -> dict[str, Division]:
    """Every division by code, in order of code, so that a parent comes before its children."""
    table: dict[str, Division] = {}
    lines = _DATA.read_text(encoding="utf-8").splitlines()
    for line in lines[1:]:
        code, level, name, name_en = line.split("\t")
        table[code] = Division(code, _LEVELS[level], name, name_en)
    return table


def is_known(code: str) -> bool:
    """True for a present division of GB/T 2260 (not for 100000 or the demo division)."""
    return code in all_divisions()


def get(code: str) -> Division:
    """The division; KeyError when it is not in the table."""
    return all_divisions()[code]
