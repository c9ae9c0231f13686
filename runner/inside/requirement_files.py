"""Checks without network that each requirements/*.txt was compiled from its .in; run by `check`."""

import re
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

FOLDER = Path(__file__).resolve().parents[2] / "requirements"
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(.*)$")


def wanted(source: Path) -> dict[str, Requirement]:
    """Requirements of an .in file and of those it includes, by canonical name."""
    found: dict[str, Requirement] = {}
    for line in source.read_text("utf-8").splitlines():
        text = line.split("#")[0].strip()
        if text.startswith("-r "):
            found |= wanted(source.parent / text[3:].strip())
        elif text:
            requirement = Requirement(text)
            found[canonicalize_name(requirement.name)] = requirement
    return found


def pinned(compiled: Path) -> dict[str, tuple[set[str], int]]:
    """Versions (several where markers part platforms) and number of hashes by name."""
    found: dict[str, tuple[set[str], int]] = {}
    name = ""
    for line in compiled.read_text("utf-8").splitlines():
        match = PIN.match(line)
        if match:
            name = canonicalize_name(match[1])
            versions, hashes = found.get(name, (set(), 0))
            found[name] = ({*versions, match[2]}, hashes)
        elif "--hash=" in line and name:
            found[name] = (found[name][0], found[name][1] + 1)
    return found


def faults() -> list[str]:
    lines: list[str] = []
    versions: dict[str, set[str]] = {}
    for source in sorted(FOLDER.glob("*.in")):
        compiled = source.with_suffix(".txt")
        if not compiled.exists():
            lines.append(f"{compiled.name} is missing")
            continue
        pins = pinned(compiled)
        for name, requirement in wanted(source).items():
            if name not in pins:
                lines.append(f"{compiled.name} lacks {name}")
            elif not all(Version(one) in requirement.specifier for one in pins[name][0]):
                lines.append(
                    f"{compiled.name}: {name} {pins[name][0]} is not {requirement.specifier}"
                )
        direct = set(re.findall(r"^([\w.-]+)==[^#]*?# via -r", _joined(compiled), re.M))
        direct = {canonicalize_name(name) for name in direct}
        lines += [
            f"{compiled.name} still has {name}, no longer in {source.name}"
            for name in sorted(direct - set(wanted(source)))
        ]
        lines += [f"{compiled.name}: {name} has no hash" for name, (_v, n) in pins.items() if not n]
        for name, (own, _hashes) in pins.items():
            other = versions.setdefault(name, own)
            if other != own:
                lines.append(f"{name} is {own} in {compiled.name} and {other} elsewhere")
    return lines


def _joined(compiled: Path) -> str:
    """One line per pin, without hashes, so that its single `# via` follows it."""
    text = re.sub(r" \\\n\s+--hash=\S+", "", compiled.read_text("utf-8"))
    return re.sub(r"\n\s+# via (-r)", r" # via \1", text)


if __name__ == "__main__":
    found = faults()
    print("\n".join(found))
    sys.exit(1 if found else 0)
