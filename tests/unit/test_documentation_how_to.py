"""The pages of docs/how-to and docs/why carried out, from the first block to the last.

They train on few images for one epoch. test_parallel.py starts torchrun, test_serving_process.py
services.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image

import mnistlab as ml
from benchmarks.ledger import CHECKOUT
from mnistlab.cli import EXIT_INTERRUPTED, app, run_command
from mnistlab.recipes import get_recipe
from mnistlab.serving import Limits, ServeSettings

pytestmark = pytest.mark.slow

DOCS = CHECKOUT / "docs"
PAGES = sorted([*DOCS.glob("how-to/*.md"), *DOCS.glob("why/*.md")])
BLOCK = re.compile(r"(?:`(\w+\.json)`:\n\n)?```(\w+)\n(.*?)```", re.DOTALL)
SMALL = ["--set", "epochs=1", "--set", "n_train=300", "--threads", "1"]
QUICKLY = {
    "train": SMALL,
    "evaluate": ["--threads", "1"],
    "tune": [*SMALL, "--trials", "2", "--seeds", "1", "--processes", "1"],
}
NOT_CARRIED_OUT = {"serve"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_works_from_its_first_block_to_its_last(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if page.stem == "onnx":
        pytest.importorskip("onnx", reason="the extra 'export' is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ml, "get_recipe", shortened)
    Image.fromarray(np.zeros((28, 28), dtype=np.uint8)).save("picture.png")
    names: dict[str, Any] = {"__name__": "__main__"}
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    assert blocks
    for file, language, body in blocks:
        if file:
            Path(file).write_text(body, encoding="utf-8")
        elif language == "python":
            exec(body, names)
        elif language == "sh":
            carry_out(body, is_stopped=page.stem == "resume")
        else:
            assert language in ("nginx", "text")


def shortened(name: str) -> ml.Recipe:
    recipe = get_recipe(name)
    phases = tuple(replace(phase, epochs=1) for phase in recipe.phases)
    return replace(recipe, phases=phases, n_train=300)


def carry_out(body: str, is_stopped: bool) -> None:
    """The lines of a block of shell; is_stopped: the training is stopped by Ctrl-C."""
    for line in body.splitlines():
        program, *words = shlex.split(line)
        if program == "curl":
            continue
        if program == "torchrun":
            words = words[words.index("mnistlab") + 1 :]  # as one process
        command = words[0]
        if command in NOT_CARRIED_OUT:
            check_is_understood(words)
        elif "--resume" in words:
            assert run_command([*expanded(words), "--threads", "1"]) == 0
        elif is_stopped:
            with stopped_after_steps(1):
                status = run_command([*words, *QUICKLY[command]])
            assert status == EXIT_INTERRUPTED
        else:
            fewer = ["--seeds", "2"] if "--seeds" in words else []
            assert run_command([*expanded(words), *QUICKLY.get(command, []), *fewer]) == 0, line


def expanded(words: list[str]) -> list[str]:
    """With the names of files for their patterns, as a shell does it."""
    return [str(path) for word in words for path in (sorted(Path().glob(word)) or [word])]


def check_is_understood(words: list[str]) -> None:
    commands: Any = typer.main.get_command(app)
    commands.commands[words[0]].make_context(words[0], words[1:])


@contextmanager
def stopped_after_steps(n: int) -> Iterator[None]:
    """Ctrl-C in the middle of a training, whatever the machine's speed."""
    done = iter(range(n))

    def step() -> None:
        if next(done, None) is None:
            os.kill(os.getpid(), signal.SIGINT)

    @contextmanager
    def shown(*_: Any) -> Iterator[ml.Progress]:
        yield ml.Progress(on_step=step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mnistlab.cli.terminal.shown_progress", shown)
        yield


def test_the_proxy_and_the_service_agree() -> None:
    """The port, the largest body, and that the proxy drops idle connections first."""
    page = (DOCS / "how-to" / "reverse-proxy.md").read_text(encoding="utf-8")
    (address,) = re.findall(r"server ([\d.]+:\d+);", page)
    settings = ServeSettings()
    assert address == f"{settings.host}:{settings.port}"
    (megabytes,) = re.findall(r"client_max_body_size (\d+)m;", page)
    assert int(megabytes) << 20 == Limits().body_bytes
    (idle_s,) = re.findall(r"keepalive_timeout (\d+)s;", page)
    assert int(idle_s) < Limits().idle_s
