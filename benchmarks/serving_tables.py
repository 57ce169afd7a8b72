"""The service under load, beside other ways to serve the same network."""

from __future__ import annotations

from typing import Any

from benchmarks import ledger
from benchmarks.markdown import measured


def load_table() -> str:
    """Answers a second, how long they took, and the memory of each server."""
    line = ledger.newest_benchmark("serving")
    servers = line["figures"]["servers"]
    ours = servers["ours"]["per_s"]
    rows = [
        [
            "**mnistlab serve**" if name == "ours" else name,
            f"{server['per_s']:,.0f}",
            "1x" if name == "ours" else f"**{ours / server['per_s']:.1f}x**",
            f"{server['p50_ms']:.1f}",
            f"{server['p99_ms']:.1f}",
            f"{server['n_failed'] + server.get('n_broken', 0)}",
            f"{_memory_mb(server):,.0f}",
        ]
        for name, server in servers.items()
    ]
    columns = (
        *("server", "predictions a second", "ours is faster", "median, ms", "99th percentile, ms"),
        *("failed", "memory, MB"),
    )
    return measured(line, columns, rows)


def _memory_mb(server: dict[str, Any]) -> float:
    """The last of several looks."""
    resident = server["resident_mb"]
    return float(resident[-1] if isinstance(resident, list) else resident)
