"""An installation that only serves: nothing it needs imports torch or what else training needs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="the extra 'export' is not installed")
pytest.importorskip("httptools", reason="the extra 'serve' is not installed")

from serving_models import write_model

from benchmarks.ledger import CHECKOUT
from mnistlab.cli.libraries import OF_TRAIN
from mnistlab.serving import sources

# Run first: the heavy libraries are as if they were not installed.
BLOCKED = f"""
import sys
HEAVY = {sorted({*OF_TRAIN, "onnx", "onnxscript", "statsmodels", "pandas", "ray"})!r}
class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HEAVY:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Nowhere())
"""


def run_blocked(statements: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BLOCKED + statements, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_service_answers_without_the_heavy_libraries(tmp_path: Path) -> None:
    """Every kind of body, every page; then none of them is in sys.modules."""
    done = run_blocked(
        """
import asyncio, io, json, pathlib
import numpy as np
from PIL import Image
from mnistlab.cli import run_command
assert run_command(["--help"]) == 0
assert run_command(["serve", "--help"]) == 0
import mnistlab.serving.server
from mnistlab.serving.model import open_model
from mnistlab.serving.service import Service
from mnistlab.serving.settings import ServeSettings
sys.path.insert(0, sys.argv[2])
from serving_models import asked, multipart, picture
service = Service([open_model(pathlib.Path(sys.argv[1]), "small")], ServeSettings())
image = np.zeros((50, 40), np.uint8)
async def main():
    for body, kind in ((bytes(784), "application/octet-stream"), (picture(image), "image/png"),
                       (json.dumps({"images": [image.tolist()]}).encode(), "application/json"),
                       multipart([picture(image)])[::-1]):
        assert (await asked(service, "/v1/predict", body, kind)).status == 200, kind
    for path in ("/", "/docs", "/metrics", "/v1/models", "/openapi.json", "/readyz"):
        assert (await asked(service, path, method="GET")).status == 200, path
asyncio.run(main())
service.close()
print("loaded", sorted(set(HEAVY) & {name.partition(".")[0] for name in sys.modules}))
""",
        str(write_model(tmp_path / "small.onnx")),
        str(Path(__file__).parent),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded []"


def test_commands_that_need_more_say_which_extra_has_it() -> None:
    commands = ["train mlp", "evaluate x", "compare a b", "export x -o x.onnx"]
    done = run_blocked(
        """
from mnistlab.cli import run_command
for command in sys.argv[1:]:
    assert run_command(command.split()) == 2, command
""",
        *commands,
    )
    assert done.returncode == 0, done.stderr
    line = r"error: this command needs [a-z-]+: pip install 'mnistlab\[train\]'\n"
    assert re.fullmatch(f"({line}){{{len(commands)}}}", done.stderr)


def test_a_run_is_not_exported_without_torch(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("{}")
    done = run_blocked(
        """
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name in HEAVY else found(name)
from mnistlab.cli import run_command
sys.exit(run_command(["serve", sys.argv[1], "--port", "0"]))
""",
        str(tmp_path),
    )
    assert done.returncode == 2
    assert (
        "which needs torch, onnx, onnxscript; where it was trained: mnistlab export" in done.stderr
    )
    assert done.stderr.count("\n") == 1


def test_the_extra_train_has_what_the_message_names() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[><=;\[ ]", each)[0] for each in requirements}

    assert names(project["optional-dependencies"]["train"]) == set(OF_TRAIN.values())
    assert not names(project["dependencies"]) & set(OF_TRAIN.values())
    assert not names(project["optional-dependencies"]["serve"]) & set(OF_TRAIN.values())


def test_a_run_that_was_exported_without_its_data_is_exported_again_once_they_are_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MNISTLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sources.machine, "has_library", lambda name: True)
    run, data = tmp_path / "run", tmp_path / "set.npz"
    run.mkdir()
    (run / "result.json").write_text("{}")
    (run / "data.json").write_text(json.dumps({"source": {"name_or_path": str(data)}}))

    def export(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        Path(command[-1]).write_text("exported")
        return subprocess.CompletedProcess(command, 0, "", "note: the data are gone\n")

    monkeypatch.setattr(sources.subprocess, "run", export)
    (source,) = sources.sources_of([run])
    without = sources.onnx_file(source)
    assert '"note": "the data are gone"' in capsys.readouterr().err
    assert sources.onnx_file(source) == without
    data.touch()
    whole = sources.onnx_file(source)
    assert whole != without
    (run / "neighbours.npz").touch()  # which the export has written
    data.unlink()
    assert sources.onnx_file(source) == whole
    for damaged in ("[]", '{"source": null}', "{", '{"source": {"name_or_path": 1}}'):
        (run / "data.json").write_text(damaged)
        assert sources.onnx_file(source).is_file()
