"""What a check found, and the report that a command prints or writes as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from mnistlab.cards import counted

DIFFERS = "differs"  # wrong, and equal to no known mistake


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    what: what was checked, such as "gradient of W1". mistake: its name in the catalogue, or
    "differs", "exception", "interface" or "limit". line: in `file`, None where it is unknown.
    says: one sentence. equation: what should hold, "" where there is none. hint: of the level asked
    for. numbers: what was expected and what was found, "" where a name says it all.
    """

    what: str
    mistake: str
    says: str
    file: str = ""
    line: int | None = None
    equation: str = ""
    hint: str = ""
    numbers: str = ""


@dataclass(frozen=True)
class Report:
    """All findings on one file or object.

    task: what it was checked as. checks: what was checked, in order. notes: what could not be
    checked, and why. A report without a single completed check is not passed.
    """

    task: str
    findings: tuple[Finding, ...] = ()
    checks: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        """Whether something was checked, and nothing was found."""
        return bool(self.checks) and not self.findings

    @property
    def mark(self) -> float:
        """The fraction of the checks that found nothing; 0 without checks."""
        failed = {finding.what for finding in self.findings}
        return max(0.0, 1 - len(failed) / max(len(self.checks), 1)) if self.checks else 0.0

    def to_json(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "task": self.task,
            "passed": self.passed,
            "findings": [asdict(finding) for finding in self.findings],
            "checks": list(self.checks),
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """The report as a terminal shows it."""
        shown: list[str] = []
        for found in self.findings:
            where = f"{found.file}:{found.line}: " if found.line else ""
            shown.append(f"{where}{found.what}: {found.says} [{found.mistake}]")
            shown += [
                f"    {label} {text}"
                for label, text in (
                    ("should hold:", found.equation),
                    ("measured:", found.numbers),
                    ("hint:", found.hint),
                )
                if text
            ]
        shown += [f"note: {note}" for note in self.notes]
        n_found = len(self.findings)
        checks = counted(len(self.checks), "check", "d")
        if self.passed:
            shown.append(f"{self.task}: {checks}, nothing found")
        elif not self.checks:
            shown.append(f"{self.task}: nothing could be checked")
        else:
            shown.append(f"{self.task}: {checks}, {counted(n_found, 'mistake', 'd')}")
        return shown


def report_from_json(values: dict[str, Any]) -> Report:
    """The report that `to_json` wrote."""
    return Report(
        str(values["task"]),
        tuple(Finding(**found) for found in values["findings"]),
        tuple(values["checks"]),
        tuple(values["notes"]),
    )
