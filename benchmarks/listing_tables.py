"""Test accuracies along a training, beside those that a write-up printed at the same steps."""

from __future__ import annotations

from benchmarks import ledger
from benchmarks.markdown import markdown
from benchmarks.study_tables import accuracy_text
from mnistlab.writeups.b_double_softmax import B2_LISTING

KEY = "test_accuracy_by_epoch"


def b2_table() -> str:
    """B2 at every hundredth step: published, as published here, and with one softmax."""
    names = ("full-batch-long", "full-batch-long-logits")
    lines = {
        name: ledger.latest("study", "double-softmax", arm=name, data="fashion-mnist")
        for name in names
    }
    measured = {name: line for name, line in lines.items() if line is not None and KEY in line}
    epochs = {int(epoch) for line in measured.values() for epoch in line[KEY][0]}
    rows = []
    for epoch in sorted(epochs | B2_LISTING.keys()):
        cells = []
        for name in names:
            values = [of_seed[str(epoch)] for of_seed in measured.get(name, {}).get(KEY, ())]
            cells.append(accuracy_text(values) if values else "not measured yet")
        published = B2_LISTING.get(epoch)
        rows.append([f"{epoch:,}", "–" if published is None else f"{published:.2f}", *cells])
    columns = ("step", "published", *(f"`{name}`" for name in names))
    return markdown(columns, rows)
