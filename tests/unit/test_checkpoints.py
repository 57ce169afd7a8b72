"""Trainings that were stopped end as if they had not been: the same weights and log, bit by bit."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import preloaded
import pytest
from safetensors import safe_open
from safetensors.numpy import save

import mnistlab as ml
from mnistlab.cli import run_command
from mnistlab.data import Dataset
from mnistlab.errors import RunError, Stopped
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs import Progress, Run, resume, train
from mnistlab.runs.checkpoints import FILES

TORCH = Recipe(
    name="torch",
    system="A9",
    model="cnn",
    model_args={"channels": [4, 6], "hidden_sizes": [8], "dropout": 0.3, "batch_norm": True},
    phases=(Phase("adam", 1e-2, 3),),
    batch_size=64,
    precision="float32",
    checkpoint_steps=5,
)
BY_HAND = replace(
    TORCH,
    name="by-hand",
    model="scratch",
    model_args={"hidden_sizes": [16], "dropout": 0.3, "batch_norm": True},
)


class KillError(Exception):
    """In place of a kill, just after a step."""


def stopping(*after: int) -> list[Progress]:
    """A Progress for each of several trainings in a row; all but the last stop after so many."""

    def stop_after(n_steps: int) -> Progress:
        left = iter(range(n_steps - 1, -1, -1))

        def on_step() -> None:
            if not next(left):
                raise KillError

        return Progress(on_step=on_step)

    return [*map(stop_after, after), Progress()]


def ended(recipe: Recipe, data: Dataset, out: Path, *stops: int) -> Run:
    """A run that was stopped and gone on with, again and again."""
    *stopped, last = stopping(*stops)
    for progress in stopped:
        with pytest.raises(KillError):
            train(recipe, data, out=out, progress=progress)
    return train(recipe, data, out=out, progress=last)


def log_of(run: Run) -> list[dict[str, Any]]:
    return [{k: v for k, v in line.items() if k != "time_s"} for line in run.log]


def assert_equal(run: Run, other: Run) -> None:
    assert log_of(run) == log_of(other)
    weights = [(one.path / "model.safetensors").read_bytes() for one in (run, other)]
    assert weights[0] == weights[1]
    assert run.result["val_accuracy"] == other.result["val_accuracy"]
    assert not list(run.path.glob(FILES))


PHASES: dict[str, tuple[Phase, ...]] = {
    **{name: (Phase(name, 1e-2, 3),) for name in ("sgd", "momentum", "nesterov", "adam")},
    "adagrad": (Phase("adagrad", 1e-2, 3),),
    "rmsprop": (Phase("rmsprop", 1e-3, 3),),
    "average": (Phase("adamw", 1e-2, 3, "one-cycle", ema_decay=0.9, clip_norm=1.0),),
    "plateau": (Phase("adam", 1e-2, 4, "plateau", patience=1),),
    "spoilt": (Phase("adam", 1e-2, 2), Phase("sgd", 3.0, 2, clip_norm=1.0)),  # best before it
    "last weights": (
        Phase("adam", 1e-2, 2, patience=1, keep="last"),
        Phase("sgd", 3.0, 2, clip_norm=1.0, keep="last"),  # worse, and gone on from
        Phase("sgd", 1e-2, 1),
    ),
    "two": (Phase("adam", 1e-2, 2), Phase("momentum", 1e-2, 2, "cosine", monitor="loss")),
}


@pytest.mark.parametrize("recipe", [TORCH, BY_HAND], ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("phases", PHASES.values(), ids=PHASES)
def test_every_optimizer_and_strategy_goes_on_with_the_same_numbers(
    stripes: Dataset, tmp_path: Path, recipe: Recipe, phases: tuple[Phase, ...]
) -> None:
    recipe = replace(recipe, phases=phases)
    # Seven steps an epoch, kept after 5, 10, 15: in the first two, in the third or a second phase.
    stops = (6, 4, 9, 6, 3)
    assert_equal(
        train(recipe, stripes, out=tmp_path / "whole"),
        ended(recipe, stripes, tmp_path / "stopped", *stops),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"phases": (Phase("muon", 1e-2, 3),), "model_args": {"channels": [4, 8]}},
        {"augmentation": {"shift": 2, "rotation": 10, "mixup": 0.5}},
        {"expansion": "flip-and-zoom", "phases": (Phase("adam", 1e-2, 1),)},
        {"batch_size": 10_000, "phases": (Phase("adam", 1e-2, 20),)},  # a step is an epoch
        {"precision": "bfloat16"},
        {"order": "file", "phases": (Phase("adam", 1e-2, 3),)},
    ],
    ids=["muon", "augmented", "expanded", "full batch", "bfloat16", "file order"],
)
def test_other_torch_trainings_too(
    stripes: Dataset, tmp_path: Path, changes: dict[str, Any]
) -> None:
    recipe = replace(TORCH, mirror_characters=True, **changes)
    assert_equal(
        train(recipe, stripes, out=tmp_path / "whole"),
        ended(recipe, stripes, tmp_path / "stopped", 8, 3, 6),
    )


@pytest.mark.slow
def test_frozen_blocks_and_kept_views_too(
    stripes: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNISTLAB_CACHE", str(tmp_path / "cache"))
    recipe = replace(
        TORCH,
        model="transfer",
        model_args={"backbone": "resnet18", "weights": "none", "dropout": 0.2},
        phases=(
            Phase("adam", 1e-2, 3, unfrozen=0, kept_views=2),
            Phase("momentum", 1e-3, 2, unfrozen=1, block_decay=0.5, ema_decay=0.5),
        ),
        augmentation={"shift": 2},
        n_train=64,
        n_val=8,
        batch_size=16,
        checkpoint_steps=3,
    )
    assert_equal(
        train(recipe, stripes, out=tmp_path / "whole"),
        ended(recipe, stripes, tmp_path / "stopped", 5, 8, 7),  # the last in the second phase
    )


def test_how_often_a_training_is_kept_changes_nothing_of_it(
    stripes: Dataset, tmp_path: Path
) -> None:
    seldom = replace(TORCH, checkpoint_steps=None)
    assert seldom.content_hash == TORCH.content_hash
    assert_equal(
        train(TORCH, stripes, out=tmp_path / "often"), train(seldom, stripes, out=tmp_path / "not")
    )


@pytest.mark.parametrize("recipe", [TORCH, BY_HAND], ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("damage", ["cut off", "a bit", "empty", "not one of ours"])
def test_of_a_damaged_checkpoint_the_one_before_is_used(
    stripes: Dataset, tmp_path: Path, recipe: Recipe, damage: str
) -> None:
    with pytest.raises(KillError):
        train(recipe, stripes, out=tmp_path / "runs", progress=stopping(13)[0])
    (partial,) = (tmp_path / "runs").iterdir()
    older, newer = sorted(partial.glob(FILES))
    assert [path.name.split("-")[1] for path in (older, newer)] == ["000000005", "000000010"]
    content = bytearray(newer.read_bytes())
    if damage == "a bit":
        content[len(content) // 2] ^= 1
    newer.write_bytes({"cut off": content[:-9], "empty": b""}.get(damage, bytes(content)))
    if damage == "not one of ours":
        newer.rename(newer.with_name("checkpoint-latest.safetensors"))
    told: list[tuple[int, int]] = []
    progress = Progress(on_resume=lambda *counts: told.append(counts))
    run = train(recipe, stripes, out=tmp_path / "runs", progress=progress)
    assert told == [(5, 1)]
    assert_equal(train(recipe, stripes, out=tmp_path / "whole"), run)


def test_without_a_whole_checkpoint_it_begins_again(stripes: Dataset, tmp_path: Path) -> None:
    with pytest.raises(KillError):
        train(TORCH, stripes, out=tmp_path / "runs", progress=stopping(13)[0])
    (partial,) = (tmp_path / "runs").iterdir()
    for path in partial.glob(FILES):
        path.write_bytes(b"damaged")
    run = train(TORCH, stripes, out=tmp_path / "runs")
    assert_equal(train(TORCH, stripes, out=tmp_path / "whole"), run)


def test_a_checkpoint_of_another_training_is_refused(stripes: Dataset, tmp_path: Path) -> None:
    with pytest.raises(KillError):
        train(TORCH, stripes, out=tmp_path / "runs", progress=stopping(6)[0])
    (partial,) = (tmp_path / "runs").iterdir()
    other = replace(TORCH, seed=1)
    with pytest.raises(KillError):
        train(other, stripes, out=tmp_path / "others", progress=stopping(1)[0])
    (theirs,) = (tmp_path / "others").iterdir()
    (checkpoint,) = partial.glob(FILES)
    checkpoint.rename(theirs / checkpoint.name)
    with pytest.raises(RunError, match="a checkpoint of another training"):
        train(other, stripes, out=tmp_path / "others")
    assert (theirs / checkpoint.name).exists()


def test_a_study_goes_on_in_the_middle_of_a_run(stripes: Dataset, tmp_path: Path) -> None:
    from mnistlab.study import Arm, Study, run_study

    study = Study("s", "A9", "?", (Arm(TORCH), Arm(BY_HAND)), lambda results: "!", n_seeds=1)
    with pytest.raises(KillError):
        run_study(study, stripes, out=tmp_path, progress=stopping(12)[0])
    told: list[int] = []
    progress = Progress(on_resume=lambda n_steps, n_damaged: told.append(n_steps))
    run_study(study, stripes, out=tmp_path, progress=progress)
    assert told == [10]


# From the folder alone


def test_resume_finds_recipe_data_and_threads_in_the_folder(
    stripes: Dataset, tmp_path: Path
) -> None:
    ml.export(stripes, tmp_path / "data", format="npz")
    data = ml.load(str(tmp_path / "data"))
    with pytest.raises(KillError):
        train(TORCH, data, out=tmp_path / "runs", threads=1, progress=stopping(6)[0])
    (partial,) = (tmp_path / "runs").iterdir()
    run = resume(partial)
    assert run.env["threads"] == 1
    assert_equal(train(TORCH, data, out=tmp_path / "whole", threads=1), run)
    assert resume(partial).path == resume(run.path).path == run.path  # complete by now


def test_what_cannot_be_gone_on_with_is_one_line(stripes: Dataset, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such run folder"):
        resume(tmp_path / "none")
    with pytest.raises(KillError):
        train(TORCH, stripes, out=tmp_path / "runs", progress=stopping(6)[0])
    (partial,) = (tmp_path / "runs").iterdir()
    with pytest.raises(RunError, match="trained on arrays"):
        resume(partial)
    (partial / "data.json").write_text("[]")
    with pytest.raises(RunError, match=r"data\.json: holds no JSON object"):
        resume(partial)


# Real processes


def noise(folder: Path, n: int = 600, side: int = 8) -> Path:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (n, side, side), dtype=np.uint8)
    np.savez(folder / "noise.npz", images=images, labels=np.arange(n) % 10)
    return folder / "noise.npz"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mnistlab", *arguments]


LONG = ("train", "scratch-mlp", "--set", "epochs=200", "--set", "batch_size=16", "--threads", "1")


@pytest.fixture(scope="module")
def whole_long(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("whole")
    assert run_command([*LONG, "--data", str(noise(folder)), "--out", str(folder / "runs")]) == 0
    (path,) = (folder / "runs").iterdir()
    return ml.open_run(path)


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_told_to_stop_it_leaves_a_checkpoint_and_says_how_to_go_on(
    tmp_path: Path, number: signal.Signals, status: int, whole_long: Run
) -> None:
    noise(tmp_path)
    started = command(*LONG, "--data", "noise.npz")
    with preloaded.Process(started, tmp_path) as process:
        while "epoch 2," not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(number)
        said = process.stderr.read().splitlines()[-1]
    assert process.returncode == status
    (partial,) = (tmp_path / "runs").iterdir()
    path = f"runs/{partial.name}"
    assert said == f"{path}: stopped; mnistlab train --resume {path} resumes it"
    assert len(list(partial.glob(FILES))) == 1
    went_on = command("train", "--resume", f"runs/{partial.name}")
    done = preloaded.run(went_on, tmp_path, check=True)
    assert "resuming after step " in done.stderr
    assert_equal(whole_long, ml.open_run(tmp_path / "runs" / partial.stem))


# The command, dead so many seconds after its first step, or before the n-th time that a file whose
# name fits is opened or renamed.
DYING = """
import fnmatch, os, runpy, signal, sys, threading
event, pattern, value = sys.argv.pop(1), sys.argv.pop(1), float(sys.argv.pop(1))
def die():
    os.kill(os.getpid(), signal.SIGKILL)
def watch(name, arguments):
    global value
    if name == event and fnmatch.fnmatchcase(str(arguments[0]), pattern):
        value -= 1
        if not value:
            die()
if event == "time":
    from mnistlab.runs.checkpoints import Checkpoints
    is_due = Checkpoints.is_due
    def first(self):
        threading.Timer(value, die).start()
        Checkpoints.is_due = is_due
        return is_due(self)
    Checkpoints.is_due = first
else:
    sys.addaudithook(watch)
runpy.run_module("mnistlab", run_name="__main__", alter_sys=True)
"""
WRITING = [("open", "*/.checkpoint-*", 2), ("os.rename", "*/.checkpoint-*", 3)]
WRITING += [("os.remove", "*/checkpoint-*", 1)]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("recipe", "n_kills"),
    [
        (replace(BY_HAND, phases=(Phase("adam", 1e-3, 60, ema_decay=0.9),)), 20),
        (replace(TORCH, phases=(Phase("adam", 1e-3, 12, ema_decay=0.9),)), 3),
        pytest.param(
            replace(TORCH, phases=(Phase("adam", 1e-3, 60, ema_decay=0.9),)),
            20,
            marks=pytest.mark.slow,
        ),
    ],
    ids=["by hand", "torch, three", "torch"],
)
def test_killed_again_and_again_it_ends_the_same(
    tmp_path: Path, recipe: Recipe, n_kills: int
) -> None:
    noise(tmp_path)
    recipe = replace(recipe, data="noise.npz", checkpoint_steps=2, seed=3)
    (tmp_path / "recipe.json").write_text(json.dumps(recipe.to_json()))
    options = ("--data", "noise.npz", "--threads", "1", "--device", "cpu")
    begin = ("train", "recipe.json", *options)
    preloaded.run(command(*begin, "--out", "whole"), tmp_path, check=True)
    (whole,) = map(ml.open_run, (tmp_path / "whole").iterdir())
    random = np.random.default_rng(n_kills)
    # Three at steps of writing a checkpoint, the others whenever.
    whenever = [
        ("time", "", random.uniform(0, whole.result["train_time_s"] / n_kills))
        for _ in range(n_kills - len(WRITING))
    ]
    deaths = [(*whenever, *WRITING)[place] for place in random.permutation(n_kills)]
    partial = tmp_path / "runs" / f"{whole.path.name}.partial"
    for death in deaths:
        go_on = ("train", "--resume", f"runs/{whole.path.name}") if partial.exists() else begin
        dying = [sys.executable, "-c", DYING, *map(str, death), *go_on]
        died = preloaded.run(dying, tmp_path)
        assert died.returncode == -signal.SIGKILL, died.stderr
    went_on = command("train", "--resume", f"runs/{whole.path.name}")
    done = preloaded.run(went_on, tmp_path, check=True)
    assert "resuming after step" in done.stderr
    assert_equal(whole, ml.open_run(tmp_path / "runs" / whole.path.name))


# Room for two checkpoints of 1.6 MB and not for the third; then for all.
FULL = """
import glob, os, shutil, subprocess, sys
from mnistlab.cli import run_command
def mount(*words):
    return subprocess.run(["mount", *words, "runs"]).returncode
if mount("-t", "tmpfs", "-o", "size=4m", "tmpfs"):
    sys.exit(77)
sys.stderr = open("first", "w")
status = run_command("train recipe.json --data noise.npz --threads 1".split())
(partial,) = glob.glob("runs/*.partial")
print(status, *os.listdir(partial), sep="\\n", file=open("left", "w"), flush=True)
mount("-o", "remount,size=64m")
sys.stderr = open("second", "w")
run_command(["train", "--resume", partial])
shutil.copytree("runs", "out")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux")
def test_a_full_disk_is_one_line_and_leaves_the_last_good_checkpoint(tmp_path: Path) -> None:
    noise(tmp_path, 2000, 28)
    recipe = replace(BY_HAND, model_args={}, phases=(Phase("adam", 1e-3, 2),), checkpoint_steps=7)
    (tmp_path / "recipe.json").write_text(json.dumps(recipe.to_json()))
    (tmp_path / "runs").mkdir()
    space = ["unshare", "--map-root-user", "--mount", sys.executable, "-c", FULL]
    done = subprocess.run(space, cwd=tmp_path, capture_output=True, text=True, check=False)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"this machine lets nobody mount a tmpfs: {done.stderr.strip()}")
    status, *left = (tmp_path / "left").read_text().splitlines()
    assert status == "2"
    last = (tmp_path / "first").read_text().splitlines()[-1]
    assert last.startswith("error: runs/by-hand-noise-")
    assert "the checkpoint cannot be written: No space left on device; the one before" in last
    assert [name.split("-")[1] for name in sorted(left) if name.startswith("checkpoint")] == [
        "000000007",
        "000000014",
    ]
    assert not [name for name in left if name.startswith(".")]
    assert "resuming after step 14" in (tmp_path / "second").read_text()
    whole = train(recipe, ml.load(str(tmp_path / "noise.npz")), out=tmp_path / "whole", threads=1)
    assert_equal(whole, ml.open_run(tmp_path / "out" / whole.path.name))


LIMITED = """
import resource, runpy, sys
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
runpy.run_module("mnistlab", run_name="__main__", alter_sys=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="limits are POSIX")
def test_a_file_that_finds_no_room_is_named(tmp_path: Path) -> None:
    noise(tmp_path, 2000, 28)
    phases = (Phase("sgd", 1e-3, 150),)
    small: dict[str, Any] = {"model_args": {}, "batch_size": 2048, "checkpoint_steps": None}
    recipe = replace(BY_HAND, phases=phases, **small)
    (tmp_path / "recipe.json").write_text(json.dumps(recipe.to_json()))
    words = ("train", "recipe.json", "--data", "noise.npz", "--threads", "1")
    for limit, file in ((100, "recipe.json"), (20_000, "log.jsonl")):
        limited = [sys.executable, "-c", LIMITED, str(limit), *words]
        done = preloaded.run(limited, tmp_path)
        last = done.stderr.splitlines()[-1]
        assert (done.returncode, last[:23]) == (2, "error: runs/by-hand-noi"), done.stderr
        assert last.endswith(f"/{file}: File too large")


# Found when the change was read again


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_after_the_last_step_is_not_swallowed(
    stripes: Dataset, tmp_path: Path, number: signal.Signals
) -> None:
    def on_epoch(epoch: Any) -> None:
        if epoch.epoch == 3:
            os.kill(os.getpid(), number)

    with pytest.raises(Stopped, match="resumes it"):
        train(BY_HAND, stripes, out=tmp_path / "runs", progress=Progress(on_epoch=on_epoch))
    run = train(BY_HAND, stripes, out=tmp_path / "runs")
    assert_equal(train(BY_HAND, stripes, out=tmp_path / "whole"), run)


def test_what_a_forced_training_left_is_gone_on_with(stripes: Dataset, tmp_path: Path) -> None:
    ml.export(stripes, tmp_path / "data", format="npz")
    data = ml.load(str(tmp_path / "data"))
    older = train(BY_HAND, data, out=tmp_path / "runs", threads=1)
    (older.path / "older").touch()
    with pytest.raises(KillError):
        train(BY_HAND, data, out=tmp_path / "runs", force=True, progress=stopping(12)[0])
    partial = older.path.with_name(f"{older.path.name}.partial")
    told: list[int] = []
    run = resume(partial, threads=1, progress=Progress(on_resume=lambda n, _: told.append(n)))
    assert told == [10]
    assert not (run.path / "older").exists()
    assert not partial.exists()


@pytest.mark.parametrize("recipe", [TORCH, BY_HAND], ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("change", ["missing", "shape", "random"])
def test_a_checkpoint_made_up_by_someone_is_one_line(
    stripes: Dataset, tmp_path: Path, recipe: Recipe, change: str
) -> None:
    """Its hash is right and its content is not."""
    with pytest.raises(KillError):
        train(recipe, stripes, out=tmp_path, progress=stopping(6)[0])
    (partial,) = tmp_path.iterdir()
    (path,) = partial.glob(FILES)
    with safe_open(path, framework="np") as file:
        metadata, names = file.metadata(), list(file.keys())
        arrays = {name: file.get_tensor(name) for name in names}
    if change == "random":
        arrays = {name: array for name, array in arrays.items() if "/shuffler" not in name}
        metadata = {key: text.replace("PCG64", "other") for key, text in metadata.items()}
    else:
        name = next(name for name in names if name.startswith("network/"))
        arrays[name] = np.zeros((3, 3, 3), np.float32)
        if change == "missing":
            del arrays[name]
    content = save(arrays, metadata)
    digest = hashlib.sha256(content).hexdigest()[:32]
    path.unlink()
    (partial / f"checkpoint-000000005-{digest}.safetensors").write_bytes(content)
    with pytest.raises(RunError, match="cannot be resumed from") as caught:
        train(recipe, stripes, out=tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "number"),
    [
        ("seconds", "1e400"),
        ("seconds", "NaN"),
        ("seconds", "-1"),
        ("seconds", f"1{'0' * 400}"),
        *[(f, f"1{'0' * 400}") for f in ("step", "n_correct", "bar", "step_loss_sum", "n_summed")],
        ("step_loss_sum", f"1{'0' * 30}"),
    ],
)
def test_numbers_that_no_training_reaches_make_a_damaged_checkpoint(
    stripes: Dataset, tmp_path: Path, field: str, number: str
) -> None:
    """Its hash is right, so that nothing but the number shows it; it begins again without it."""
    with pytest.raises(KillError):
        train(BY_HAND, stripes, out=tmp_path, progress=stopping(6)[0])
    (partial,) = tmp_path.iterdir()
    (path,) = partial.glob(FILES)
    with safe_open(path, framework="np") as file:
        ((key, text),) = file.metadata().items()
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    changed, n_changed = re.subn(rf'("{field}": )[-\w.]+', rf"\g<1>{number}", text, count=1)
    assert n_changed == 1
    content = save(arrays, {key: changed})
    path.unlink()
    digest = hashlib.sha256(content).hexdigest()[:32]
    (partial / f"checkpoint-000000005-{digest}.safetensors").write_bytes(content)
    told: list[tuple[int, int]] = []
    watching = replace(stopping(1)[0], on_resume=lambda *numbers: told.append(numbers))
    with pytest.raises(KillError):
        train(BY_HAND, stripes, out=tmp_path, progress=watching)
    assert told == [(0, 1)]  # steps done, damaged files
