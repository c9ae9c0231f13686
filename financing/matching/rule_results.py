"""What a rule says: pass or fail, with the gap; read by pages, near misses and files."""

from dataclasses import dataclass
from datetime import date

Figure = int | str | date | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule on one pair.

    `required`, `found`, `gap`: what the offer (or policy, or business) asks, what is there, how
    much is missing, in `unit` ("fen", "months", "count", "ppm", "codes", "day" or "").
    `applies` is False where an earlier rule left nothing to test; such a rule passes.
    `patent_ids`: the patents it is about.
    """

    code: str
    passed: bool
    required: Figure = None
    found: Figure = None
    gap: Figure = None
    unit: str = ""
    patent_ids: tuple[str, ...] = ()
    applies: bool = True


def at_least(
    code: str, required: int, found: int, unit: str, patent_ids: tuple[str, ...] = ()
) -> RuleResult:
    """Passes when `found` reaches `required`; the gap is what lacks."""
    gap = max(0, required - found)
    return RuleResult(code, gap == 0, required, found, gap, unit, patent_ids)


def at_most(code: str, required: int, found: int, unit: str) -> RuleResult:
    """Passes when `found` does not exceed `required`; the gap is the excess."""
    gap = max(0, found - required)
    return RuleResult(code, gap == 0, required, found, gap, unit)


def nothing_to_test(code: str) -> RuleResult:
    """An earlier rule left nothing to test."""
    return RuleResult(code, passed=True, applies=False)
