"""Environments of peers: made with venv and pip, once, and kept in a folder.

A peer gets its own packages, so that it can neither change ours nor be changed by them. Large
packages that several peers need lie in one environment, whose folders the others also see.
"""

from __future__ import annotations

import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path


def environment(folder: Path, packages: Sequence[str], also_sees: Sequence[str] = ()) -> Path:
    """The Python of an environment with these packages.

    also_sees: folders of installed packages that it may import too; its own packages come first,
    and pip installs nothing again that is found there. An environment that an earlier call made in
    the same way is used again. Raises subprocess.CalledProcessError, with pip's words in `stderr`,
    where pip fails.
    """
    python, ready = folder / "bin" / "python", folder / "ready"
    content = "\n".join([" ".join(packages), *also_sees])
    if ready.is_file() and ready.read_text(encoding="utf-8") == content:
        return python
    venv.create(folder, with_pip=True, clear=True)
    if also_sees:
        shared = Path(site_packages(python), "shared.pth")
        shared.write_text("\n".join(also_sees) + "\n", encoding="utf-8")
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, *packages], check=True, capture_output=True, text=True)
    ready.write_text(content, encoding="utf-8")
    return python


def site_packages(python: Path) -> str:
    """The folder in which pip installs packages for this Python."""
    ask = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    return subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
