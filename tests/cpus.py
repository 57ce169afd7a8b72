"""Other makes of CPU, stood in for by what libraries may use of this one: `make check-cpus`.

Runs every test that numbers depend on under each setting and prints a table; paths given run in
their place. A setting that passed is remembered in build/check-cpus.json until the working tree
changes, so that a check that was stopped goes on where it was; --again forgets that.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
PASSED = CHECKOUT / "build" / "check-cpus.json"

# With AVX2, with AVX-512, with its bfloat16, and all that this one has. oneDNN's variable reaches
# convolutions and products in bfloat16; ATen's, the sums, activations and optimizers of torch.
SETTINGS: dict[str, dict[str, str]] = {
    "all this CPU has": {},
    "ONEDNN_MAX_CPU_ISA=AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    "ONEDNN_MAX_CPU_ISA=AVX512_CORE": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
    "ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"},
    "ATEN_CPU_CAPABILITY=avx2": {"ATEN_CPU_CAPABILITY": "avx2"},
}
VARIABLES = {name for setting in SETTINGS.values() for name in setting}
# A new file of tests is among those that run unless it is named here: these read, write, draw and
# start processes, on every CPU alike, and take most of the time.
WITHOUT_NUMBERS = (
    "test_architecture.py",
    "test_atomic.py",
    "test_checking*.py",
    "test_cli*.py",
    "test_completing.py",
    "test_data_*.py",
    "test_documentation*.py",
    "test_duplicates.py",
    "test_durable.py",
    "test_evidence_queue.py",
    "test_explaining_page.py",
    "test_exporting_page.py",
    "test_extending.py",
    "test_family_wise.py",
    "test_labs_measure.py",
    "test_listing.py",
    "test_machine.py",
    "test_not_overwritten.py",
    "test_notebooks.py",
    "test_packages.py",
    "test_polarity.py",
    "test_predicting_inputs.py",
    "test_prediction_report.py",
    "test_prose.py",
    "test_public_page.py",
    "test_ray.py",
    "test_records.py",
    "test_reporting_*.py",
    "test_serving*.py",
    "test_space.py",
    "test_stopping_words.py",
    "test_storage.py",
    "test_study_killed.py",
    "test_study_tables.py",
    "test_tracking.py",
)
TESTS = ("tests/golden", "tests/contract", "tests/unit")


def command(paths: list[str]) -> list[str]:
    """Pytest over these paths, or over all that numbers depend on."""
    ignored = [f"--ignore-glob={CHECKOUT}/tests/unit/{name}" for name in WITHOUT_NUMBERS]
    chosen = paths or [*TESTS, *ignored]
    options = ["-q", "-m", "not slow", "-p", "no:cacheprovider"]
    options += ["-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder"]
    return [sys.executable, "-m", "pytest", *chosen, *options]


def run(setting: dict[str, str], paths: list[str]) -> dict[str, int]:
    """Outcomes and seconds under one setting; what pytest prints passes through."""
    others = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    began, text = time.monotonic(), ""
    with subprocess.Popen(
        command(paths), cwd=CHECKOUT, env=others | setting, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            text = line if re.search(r" in [\d.]+s", line) else text
    counts = {
        what: int(n) for n, what in re.findall(r"(\d+) (passed|failed|errors?|skipped)", text)
    }
    failed = counts.get("failed", 0) + counts.get("error", 0) + counts.get("errors", 0)
    return {
        "passed": counts.get("passed", 0),
        "failed": failed or int(process.returncode != 0),  # one that did not come to its summary
        "skipped": counts.get("skipped", 0),
        "seconds": round(time.monotonic() - began),
    }


def fingerprint(paths: list[str]) -> str:
    """Of the working tree and of what was asked: a result holds for these alone."""
    commands = (
        ["rev-parse", "HEAD"],
        ["diff", "HEAD"],
        ["ls-files", "--others", "-X", ".gitignore"],
    )
    told = [subprocess.check_output(["git", *of], cwd=CHECKOUT) for of in commands]
    return hashlib.sha256(b"\0".join([*told, "\0".join(paths).encode()])).hexdigest()


def table(results: dict[str, dict[str, int]]) -> str:
    """A Markdown table, a row a setting."""
    rows = ["| setting | passed | failed | skipped | seconds |", "|---|---|---|---|---|"]
    rows += [f"| {name} | {' | '.join(map(str, of.values()))} |" for name, of in results.items()]
    return "\n".join(rows)


def main() -> int:
    """1 where a test failed under any setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", help="tests to run in place of all with numbers")
    parser.add_argument("--again", action="store_true", help="run what has passed as well")
    asked = parser.parse_args()
    of_now = fingerprint(asked.paths)
    kept = json.loads(PASSED.read_text(encoding="utf-8")) if PASSED.exists() else {}
    passed = {} if asked.again or kept.get("of") != of_now else kept["passed"]
    results = {}
    for name, setting in SETTINGS.items():
        if name not in passed:
            print(f"\n{name}", flush=True)
        results[name] = passed[name] if name in passed else run(setting, asked.paths)
        if not results[name]["failed"]:
            passed[name] = results[name]
            PASSED.parent.mkdir(exist_ok=True)
            PASSED.write_text(json.dumps({"of": of_now, "passed": passed}), encoding="utf-8")
    print(f"\n{table(results)}")
    return int(any(result["failed"] for result in results.values()))


if __name__ == "__main__":
    sys.exit(main())
