"""The images of Dockerfile and Dockerfile.train, built and run: small, bare, and they work.

podman does both without a daemon; docker/build_without_daemon.sh stands in for the registry. Ten
minutes, most of them pip's. MNISTLAB_DOCKER_STORE names a folder to keep the images in.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from PIL import Image

from benchmarks.ledger import CHECKOUT
from mnistlab.cli import run_command
from mnistlab.data import load

NEEDED = ("podman", "debootstrap", "cc", "pip")
missing = [program for program in NEEDED if shutil.which(program) is None]
pytestmark = [
    pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}"),
    pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason="only root may chroot"),
    pytest.mark.timeout(3600),
]
LARGEST_MB = 250
TRAIN_NEEDS_GB = 15  # while pip installs torch with CUDA
TOKEN = "a-token-of-the-test"
SERVICE = "mnistlab-serve-test"
FOREIGN = {"sh", "bash", "dash", "busybox", "apt", "dpkg", "pip", "setuptools", "torch", "onnx"}
STUDENT = 1000  # whoever calls docker run on Linux: owns the folder, unknown to the image


class Podman:
    """podman with its images in a folder of the test's own."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self.folders = ["--root", str(store / "images"), "--runroot", str(store / "state")]

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["podman", *self.folders, *words]
        return subprocess.run(command, capture_output=True, text=True)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        # Without these, containers ask for limits that not every machine lets root raise.
        runtime = ["--runtime", "runc"] if shutil.which("runc") else []
        limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
        return self(*runtime, "run", *limits, *words)

    def build(self, image: str) -> None:
        script = str(CHECKOUT / "docker" / "build_without_daemon.sh")
        ended = subprocess.run([script, str(self.store), image], capture_output=True, text=True)
        assert ended.returncode == 0, (ended.stdout + ended.stderr)[-3000:]

    def files(self, image: str) -> Path:
        """The files of an image, read-only."""
        return Path(self("image", "mount", image).stdout.strip())


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    kept = os.environ.get("MNISTLAB_DOCKER_STORE")
    podman = Podman(Path(kept) if kept else tmp_path_factory.mktemp("store"))
    yield podman
    podman("image", "umount", "--all")
    if not kept:
        podman("rmi", "--all", "--force")
        shutil.rmtree(podman.store, ignore_errors=True)


@pytest.fixture(scope="module")
def serving(podman: Podman) -> Podman:
    podman.build("serve")
    return podman


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with model.onnx and model.html, which the container's user may read."""
    folder = tmp_path_factory.mktemp("models")
    quick = ["--data", "fashion-mini", "--set", "epochs=1", "--out", str(folder)]
    assert run_command(["train", "softmax", *quick]) == 0
    (run,) = folder.glob("softmax-*")
    for name in ("model.onnx", "model.html"):
        assert run_command(["export", str(run), "-o", str(folder / name)]) == 0
    folder.chmod(0o755)  # pytest's own folders are for this user alone
    return folder


class Service:
    """A container that serves, on a free port of this computer."""

    def __init__(self, podman: Podman, models: Path, *words: str, options: list[str]) -> None:
        self.podman = podman
        volume = f"--volume={models}:/models:ro"
        publish = "--publish=127.0.0.1::8000"
        begun = podman.run(
            *["--detach", "--read-only", "--name", SERVICE, publish, volume, *options],
            *["mnistlab-serve", *words],
        )
        assert begun.returncode == 0, begun.stderr
        self.url = "http://" + podman("port", SERVICE, "8000/tcp").stdout.strip()

    def __enter__(self) -> Self:
        for _ in range(100):
            if self.is_healthy():
                return self
            time.sleep(0.2)
        pytest.fail(self.podman("logs", SERVICE).stderr)

    def __exit__(self, *error: object) -> None:
        self.podman("rm", "--force", "--time", "20", SERVICE)

    def is_healthy(self) -> bool:
        """The image's own HEALTHCHECK, which Docker calls every ten seconds."""
        return self.podman("healthcheck", "run", SERVICE).returncode == 0

    def ask(
        self, path: str, body: bytes | None = None, token: str = "", **headers: str
    ) -> tuple[int, bytes]:
        headers |= {"Content-Type": "image/png", "Authorization": f"Bearer {token}"}
        request = urllib.request.Request(self.url + path, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()


def test_the_serving_image_is_small_and_holds_no_shell_pip_or_torch(serving: Podman) -> None:
    (image,) = json.loads(serving("image", "inspect", "mnistlab-serve").stdout)
    root = serving.files("mnistlab-serve")
    sizes = {
        path: sum(file.lstat().st_size for file in path.rglob("*") if not file.is_dir()) / 1e6
        for path in (*root.glob("app/*/"), *root.glob("usr/local/*/"), root / "lib")
    }
    for path in sorted(sizes, key=lambda path: -sizes[path])[:10]:
        print(f"{sizes[path]:7.1f} MB  {path.relative_to(root)}")
    assert image["Size"] / 1e6 <= LARGEST_MB
    assert image["Config"]["User"] == "65532:65532"
    assert (root / "app" / "onnxruntime").is_dir()
    everything = list(root.rglob("*"))
    assert not FOREIGN & {path.name for path in everything}
    special = [
        path for path in everything if not path.is_symlink() and path.stat().st_mode & 0o6002
    ]
    assert special == [root / "tmp"]  # nothing else is written into, and nothing is setuid


def test_the_serving_image_serves_as_a_user_who_may_not_write(
    serving: Podman, models: Path
) -> None:
    data = load("fashion-mini")
    picture = io.BytesIO()
    Image.fromarray(data.images[-1]).save(picture, "PNG")
    token = ["--env", f"MNISTLAB_TOKEN={TOKEN}"]
    with Service(serving, models, options=token) as service:
        assert service.ask("/healthz")[0] == 200
        assert json.loads(service.ask("/readyz")[1])["models"] == ["model"]
        assert service.ask("/v1/predict", picture.getvalue())[0] == 401
        status, answer = service.ask("/v1/predict", picture.getvalue(), TOKEN)
        assert status == 200
        (prediction,) = json.loads(answer)["predictions"]
        assert prediction["label"] in data.class_names
        assert service.ask("/", token=TOKEN)[1] == (models / "model.html").read_bytes()
        question = "import os; print(os.getuid(), os.getgid(), os.access('/app', os.W_OK))"
        asked = serving("exec", SERVICE, "/usr/local/bin/python3", "-c", question)
        assert asked.stdout.split() == ["65532", "65532", "False"]
        assert serving("exec", SERVICE, "sh", "-c", "true").returncode == 127
        serving("stop", "--time", "20", SERVICE)
        (ended,) = json.loads(serving("inspect", SERVICE).stdout)
        assert ended["State"]["ExitCode"] == 0
        assert '"event": "stopped"' in serving("logs", SERVICE).stderr
        assert not service.is_healthy()


def test_the_serving_image_needs_a_token_or_to_be_told_that_anyone_may_ask(
    serving: Podman, models: Path
) -> None:
    refused = serving.run("--rm", f"--volume={models}:/models:ro", "mnistlab-serve")
    assert refused.returncode == 2
    assert "MNISTLAB_TOKEN" in refused.stderr
    assert "Traceback" not in refused.stderr
    words = ["/models/model.onnx", "--anyone", "--allow-host", "localhost"]
    with Service(serving, models, *words, options=[]) as service:
        assert service.ask("/") == (200, (models / "model.html").read_bytes())
        assert service.ask("/", Host="another-site.example")[0] in range(400, 500)


def test_the_training_image_trains_and_exports_into_its_callers_folder(
    podman: Podman, tmp_path: Path
) -> None:
    if shutil.disk_usage(tmp_path).free < TRAIN_NEEDS_GB * 1e9:
        pytest.skip(f"torch with CUDA needs {TRAIN_NEEDS_GB} GB of disk")
    podman.build("train")
    folder = tmp_path / "work"
    folder.mkdir()
    os.chown(folder, STUDENT, STUDENT)
    packages = f"--volume={podman.store}/site-packages:/usr/local/lib/python3.11/site-packages:ro"

    def command(*words: str) -> None:
        user, volume = f"--user={STUDENT}:{STUDENT}", f"--volume={folder}:/work"
        ended = podman.run("--rm", user, volume, packages, "mnistlab-train", *words)
        assert ended.returncode == 0, ended.stderr

    command("train", "simple-cnn", "--data", "fashion-mini", "--set", "epochs=1")
    (run,) = (folder / "runs").iterdir()
    command("export", f"runs/{run.name}", "-o", "model.onnx")
    assert {path.name for path in folder.iterdir()} == {"runs", "model.onnx", "model.onnx.md"}
    assert {path.stat().st_uid for path in folder.rglob("*")} == {STUDENT}
