"""Device, precision and threads of torch on this machine, and a record of them for env.json."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from mnistlab import machine
from mnistlab.errors import RecipeError

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "float32", "bfloat16")
# Values of ONEDNN_MAX_CPU_ISA with which torch emulates products in bfloat16.
WITHOUT_BFLOAT16 = (
    "sse41",
    "avx",
    "avx2",
    "avx2_vnni",
    "avx2_vnni_2",
    "avx512_core",
    "avx512_core_vnni",
)


def pick_device(name: str = "auto") -> torch.device:
    """The named device; "auto": cuda, else mps, else cpu. RecipeError for a missing device."""
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next((device for device, yes in available.items() if yes), "cpu"))
    if name not in DEVICES:
        raise RecipeError(f"unknown device {name!r}; there are: {', '.join(DEVICES)}")
    if not available.get(name, True):
        raise RecipeError(f"device {name!r} asked for, but torch {torch.__version__} sees none")
    return torch.device(name)


def pick_precision(name: str, device: torch.device) -> str:
    """ "float32" or "bfloat16"; "auto" is bfloat16 where the hardware multiplies in it."""
    if name not in PRECISIONS:
        raise RecipeError(f"unknown precision {name!r}; there are: {', '.join(PRECISIONS)}")
    if name == "auto":
        return "bfloat16" if has_bfloat16(device) else "float32"
    return name


def has_bfloat16(device: torch.device) -> bool:
    """Whether the hardware computes in bfloat16; emulated, it is slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # oneDNN may be told not to use what the processor has, and torch does not look at that.
    allowed = os.environ.get("ONEDNN_MAX_CPU_ISA", os.environ.get("DNNL_MAX_CPU_ISA", ""))
    if device.type == "cpu" and allowed.lower() in WITHOUT_BFLOAT16:
        return False
    if device.type == "cpu" and hasattr(torch.cpu, "get_capabilities"):  # torch >= 2.10
        capabilities = torch.cpu.get_capabilities()
        return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    return False


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Run the block with seeded random generators; restore the caller's state after it."""
    cuda_devices = [torch.cuda.current_device()] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda_devices):
        torch.manual_seed(seed)
        yield


@contextmanager
def n_threads(wanted: int | None) -> Iterator[None]:
    """Run the block with that many torch threads; None does not change them.

    RecipeError for more than machine.most_threads.
    """
    machine.check_threads(wanted)
    before = torch.get_num_threads()
    torch.set_num_threads(wanted or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def describe(device_name: str, precision: str) -> dict[str, Any]:
    """What measured numbers depend on, for env.json; RecipeError for a device that is missing."""
    device = pick_device(device_name)
    return machine.describe() | {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "precision": pick_precision(precision, device),
    }
