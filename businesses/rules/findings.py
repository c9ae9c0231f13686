"""The finding that registrability and insurability return; shown on pages, used by match_runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["hard", "soft"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One ground met: `code` and `cure` are stable words for pages to translate.

    `hard` stops the pledge or cover; `soft` needs both sides to acknowledge it. `detail` holds
    what was found as (name, value) pairs, so that a finding stays hashable.
    """

    code: str
    severity: Severity
    cure: str
    detail: tuple[tuple[str, str], ...] = ()


def has_hard(findings: Iterable[Finding]) -> bool:
    """True when at least one finding stops."""
    return any(finding.severity == "hard" for finding in findings)
