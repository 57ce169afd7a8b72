"""Predictions per second over HTTP, beside LitServe, Gradio and a plain FastAPI handler with torch.

python -m benchmarks.serving [RUN] [--seconds 60] [--environments DIR] [--record]

wrk (Debian's package) asks with 16 connections from the same computer, one image a request. All
serve the same network; the peers leave out its distance to the training images, which ours computes
too. Each peer has an environment of its own, made with pip; one that cannot be installed is named.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import mnistlab as ml
from benchmarks.ledger import CHECKOUT, run_benchmark
from benchmarks.service_process import (
    ServiceProcess,
    arguments,
    environment_with_ours,
    small_run,
)
from mnistlab.exporting import export_onnx
from mnistlab.runs import open_run

N_CONNECTIONS = 16
PEER_S = 15
PORT = 8437
NETWORK = """
import os, sys, torch
from mnistlab.exporting.modules import module_of
from mnistlab.runs import open_run
torch.set_num_threads(1)
run = open_run(os.environ["SERVED_RUN"])
network = module_of(run.classifier("cpu"), run.result.get("temperature")).eval()
"""
FASTAPI = """
import uvicorn
from fastapi import FastAPI, Request
app = FastAPI()

@app.post("/predict")
async def predict(request: Request):
    body = bytearray(await request.body())
    image = torch.frombuffer(body, dtype=torch.uint8).reshape(1, 28, 28)
    with torch.inference_mode():
        p = network(image)[0]
    return {"label": int(p.argmax()), "probabilities": p.tolist()}

uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False)
"""
LITSERVE = """
import base64
import litserve

class Api(litserve.LitAPI):
    def setup(self, device):
        torch.set_num_threads(1)
    def decode_request(self, request):
        body = bytearray(base64.b64decode(request["image"]))
        return torch.frombuffer(body, dtype=torch.uint8).reshape(28, 28)
    def batch(self, inputs):
        return torch.stack(inputs)
    def predict(self, images):
        with torch.inference_mode():
            return network(images)
    def unbatch(self, output):
        return list(output)
    def encode_response(self, p):
        return {"label": int(p.argmax()), "probabilities": p.tolist()}

if __name__ == "__main__":
    server = litserve.LitServer(Api(max_batch_size=16, batch_timeout=0.002), accelerator="cpu")
    server.run(port=int(sys.argv[1]), log_level="error", generate_client_file=False)
"""
GRADIO = """
import base64
import gradio

def predict(text):
    body = bytearray(base64.b64decode(text))
    with torch.inference_mode():
        p = network(torch.frombuffer(body, dtype=torch.uint8).reshape(1, 28, 28))[0]
    return {"label": int(p.argmax()), "probabilities": p.tolist()}

with gradio.Blocks() as app:
    text, answer = gradio.Textbox(), gradio.JSON()
    gradio.Button().click(predict, text, answer, api_name="predict", queue=False)
app.launch(server_port=int(sys.argv[1]), quiet=True)
"""


class Peer(NamedTuple):
    """A server to compare with: what pip installs, its program, and how it is asked."""

    packages: tuple[str, ...]
    program: str
    path: str
    body: Callable[[bytes], bytes]


def _raw(image: bytes) -> bytes:
    return image


def _base64(image: bytes) -> str:
    return base64.b64encode(image).decode()


PEERS = {
    "FastAPI and torch": Peer(
        ("fastapi", "uvicorn", "uvloop", "httptools"), FASTAPI, "/predict", _raw
    ),
    "LitServe": Peer(
        ("litserve",),
        LITSERVE,
        "/predict",
        lambda image: json.dumps({"image": _base64(image)}).encode(),
    ),
    "Gradio": Peer(
        ("gradio",),
        GRADIO,
        "/gradio_api/run/predict",
        lambda image: json.dumps({"data": [_base64(image)]}).encode(),
    ),
}


def asked(url: str, body: bytes, seconds: float, folder: Path) -> dict[str, float]:
    """What wrk measures: requests per second, quantiles in ms, answers that were no success."""
    content_type = "application/json" if body.startswith(b"{") else "application/octet-stream"
    (folder / "body").write_bytes(body)
    script = folder / "ask.lua"
    script.write_text(
        f'local file = io.open("{folder / "body"}", "rb")\n'
        'wrk.method, wrk.body = "POST", file:read("*a")\n'
        f'wrk.headers["Content-Type"] = "{content_type}"\n',
        encoding="utf-8",
    )
    words = ["-t1", f"-c{N_CONNECTIONS}", f"-d{seconds:g}s", "--latency", "-s", str(script), url]
    done = subprocess.run(["wrk", *words], capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", done)
    broken = re.search(
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", done
    )
    assert rate, done
    return {
        "per_s": float(rate[1]),
        "p50_ms": _milliseconds(done, "50%"),
        "p99_ms": _milliseconds(done, "99%"),
        "n_failed": int(failed[1]) if failed else 0,
        "n_broken": sum(map(int, broken.groups())) if broken else 0,
    }


def _milliseconds(text: str, quantile: str) -> float:
    found = re.search(rf"{quantile}\s+([\d.]+)(us|ms|s)\b", text)
    assert found, text
    return float(found[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[found[2]]


def bench_ours(model: Path, image: bytes, seconds: float, folder: Path) -> dict[str, Any]:
    """Ours, with its memory while it is asked, and the time from a kill to the next answer."""
    command = [sys.executable, "-m", "mnistlab", "serve", str(model), "--port", str(PORT)]
    ready = f"http://127.0.0.1:{PORT}/readyz"
    url = f"http://127.0.0.1:{PORT}/v1/predict"
    with ServiceProcess(command, ready, folder / "ours.log") as service:
        asked(url, image, 3, folder)  # warm
        memory = [service.resident_mb()]
        pieces = []
        for _ in range(3):
            pieces.append(asked(url, image, seconds / 3, folder))
            memory.append(service.resident_mb())
        service.end(signal.SIGKILL)
    start = time.perf_counter()
    with ServiceProcess(command, ready, folder / "ours.log"):
        restart_s = time.perf_counter() - start
    return {
        "per_s": sum(piece["per_s"] for piece in pieces) / 3,
        "p50_ms": max(piece["p50_ms"] for piece in pieces),
        "p99_ms": max(piece["p99_ms"] for piece in pieces),
        "n_failed": sum(piece["n_failed"] + piece["n_broken"] for piece in pieces),
        "seconds": seconds,
        "resident_mb": memory,
        "restart_s": restart_s,
    }


def bench_peer(
    name: str, peer: Peer, run: Path, image: bytes, folder: Path, environments: Path
) -> dict[str, Any]:
    """A peer, or why it is skipped."""
    try:
        python = environment_with_ours(environments / re.sub(r"\W", "-", name), peer.packages)
        program = folder / "peer.py"
        program.write_text(NETWORK + peer.program, encoding="utf-8")
        env = os.environ | {"SERVED_RUN": str(run), "PYTHONPATH": str(CHECKOUT)}
        env |= {"GRADIO_ANALYTICS_ENABLED": "False", "OMP_NUM_THREADS": "1"}
        command = [str(python), str(program), str(PORT)]
        log = folder / f"{python.parent.parent.name}.log"
        with ServiceProcess(command, f"http://127.0.0.1:{PORT}/", log, env) as service:
            url = f"http://127.0.0.1:{PORT}{peer.path}"
            asked(url, peer.body(image), 3, folder)
            found = asked(url, peer.body(image), PEER_S, folder)
            if found["n_failed"] + found["n_broken"] > 0:
                return {"skipped": f"of its answers {found['n_failed']} were errors"}
            return found | {"resident_mb": service.resident_mb()}
    except (subprocess.CalledProcessError, RuntimeError, OSError) as error:
        return {"skipped": " ".join(str(error).split())[-300:]}


def bench() -> dict[str, Any]:
    """All servers of one run, one after another."""
    given = arguments()
    if shutil.which("wrk") is None:
        sys.exit("this needs wrk: apt-get install wrk")
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = open_run((given.model or small_run(folder)).resolve())
        image = np.ascontiguousarray(ml.load(run.data["name"]).images[-1]).tobytes()
        environments = given.environments or folder
        model = folder / "model.onnx"
        export_onnx(run, model)
        figures: dict[str, Any] = {"ours": bench_ours(model, image, given.seconds, folder)}
        print("ours", figures["ours"], file=sys.stderr)
        for peer in PEERS:
            figures[peer] = bench_peer(peer, PEERS[peer], run.path, image, folder, environments)
            print(peer, figures[peer], file=sys.stderr)
    rates = [each["per_s"] for peer, each in figures.items() if peer != "ours" and "per_s" in each]
    best = max(rates, default=None)
    return {
        "recipe": run.recipe.name,
        "n_connections": N_CONNECTIONS,
        "client": "wrk",
        "load_before": load,
        "servers": figures,
        "times_the_best_peer": None if best is None else figures["ours"]["per_s"] / best,
    }


if __name__ == "__main__":
    run_benchmark("serving", bench)
