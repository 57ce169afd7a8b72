"""The wheel in a Debian with nothing but Python: install, study, fit, serve, as README.md says.

Half an hour on a busy machine, nearly all of it pip's. MNISTLAB_BARE_ROOT names a folder to keep
the Debian in for the next time.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.ledger import CHECKOUT

NEEDED = ("debootstrap", "unshare", "chroot")
missing = [program for program in NEEDED if shutil.which(program) is None]
pytestmark = [
    pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}"),
    pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason="only root may chroot"),
    pytest.mark.timeout(3600),
]


def test_a_new_user_installs_trains_fits_and_serves(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=CHECKOUT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    kept = os.environ.get("MNISTLAB_BARE_ROOT")
    root = Path(kept) if kept else tmp_path / "root"
    script = str(CHECKOUT / "tests" / "slow" / "bare_root.sh")
    try:
        ended = subprocess.run(
            ["unshare", "--mount", script, str(wheel), str(root)], capture_output=True, text=True
        )
    finally:
        if not kept:
            shutil.rmtree(root, ignore_errors=True)
    assert ended.returncode == 0, ended.stderr[-3000:]
    answer = json.loads(ended.stdout.splitlines()[-1])
    assert answer["model"] == "model"
    assert len(answer["predictions"][0]["probabilities"]) == 10
