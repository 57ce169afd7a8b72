"""Tables of the documentation, rendered from the ledger between pairs of markers.

python -m benchmarks.tables           # write them again
python -m benchmarks.tables --check   # exit 1 where a page and the ledger differ
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    checking_tables,
    course_table,
    drawing_tables,
    evidence_tables,
    export_tables,
    fit_tables,
    framework_tables,
    ledger,
    listing_tables,
    peer_tables,
    records_tables,
    serving_tables,
    study_tables,
    systems,
    transfer_tables,
    tuning_tables,
    your_images_tables,
)
from benchmarks.markdown import markdown
from mnistlab import atomic

DOCS = ledger.CHECKOUT / "docs"
PAGES = [
    ledger.CHECKOUT / "README.md",
    *(
        DOCS / f"{name}.md"
        for name in (
            "measured",
            "zoo",
            "evidence",
            "transfer",
            "tuning",
            "scale",
            "systems",
            "your-images-measured",
            "unusual",
            "drawing-page",
            "serving",
            "checking",
            "fit",
            "course",
            "records",
        )
    ),
]
MARKED = re.compile(r"(<!-- table: ([\w-]+(?: [\w-]+)*) -->\n).*?(<!-- end -->)", re.DOTALL)


def systems_table() -> str:
    """Published beside measured, a line for every row of the systems."""
    columns = (
        *("row", "system", "data", "published", "measured"),
        *(study_tables.OVER_SEEDS, study_tables.OF_IMAGES),
        *("seeds", "command"),
    )
    return markdown(columns, [systems.cells(row) for row in systems.ROWS])


TABLES: dict[str, Callable[[], str]] = {
    "your-images sets": your_images_tables.sets_table,
    "your-images": your_images_tables.accuracy_table,
    "your-images differences": your_images_tables.differences_table,
    "ladder mnist": lambda: study_tables.study_table("ladder", "mnist"),
    "ladder fashion-mnist": lambda: study_tables.study_table("ladder", "fashion-mnist"),
    "loop": peer_tables.loop_table,
    "kernels": peer_tables.kernels_table,
    "fit": fit_tables.accuracy_table,
    "fit differences": fit_tables.differences_table,
    "fit overrun": fit_tables.overrun_table,
    "frameworks": framework_tables.frameworks_table,
    "steps": peer_tables.steps_table,
    "csv": peer_tables.csv_table,
    "systems": systems_table,
    "augmentation": peer_tables.augmentation_table,
    "checkpoints": peer_tables.checkpoints_table,
    "larger-than-memory": peer_tables.larger_table,
    "larger-than-memory epoch": peer_tables.larger_epoch_table,
    "ray-workers": peer_tables.ray_table,
    "scratch-mlp": peer_tables.scratch_table,
    "svm": peer_tables.svm_table,
    "audit": evidence_tables.audit_table,
    "unusual": export_tables.unusual_table,
    "unusual alarms": export_tables.alarms_table,
    "export parity": export_tables.parity_table,
    "drawing parity": drawing_tables.parity_table,
    "drawing drawings": drawing_tables.drawings_table,
    "drawing latency": drawing_tables.latency_table,
    "serving load": serving_tables.load_table,
    "comparing": evidence_tables.comparing_table,
    "family-wise": evidence_tables.family_wise_table,
    "family-wise studies": evidence_tables.family_wise_studies_table,
    "evaluating": evidence_tables.evaluating_table,
    "embedding": study_tables.embedding_table,
    "optimizers fashion-mnist": lambda: study_tables.study_table("optimizers", "fashion-mnist"),
    "lr-schedule fashion-mnist": lambda: study_tables.study_table("lr-schedule", "fashion-mnist"),
    "batch-size fashion-mnist": lambda: study_tables.study_table("batch-size", "fashion-mnist"),
    "double-softmax fashion-mnist": lambda: study_tables.study_table(
        "double-softmax", "fashion-mnist"
    ),
    "mlp-regularisation fashion-mnist": lambda: study_tables.study_table(
        "mlp-regularisation", "fashion-mnist"
    ),
    "cnn-regularisation fashion-mnist": lambda: study_tables.study_table(
        "cnn-regularisation", "fashion-mnist"
    ),
    "scaling fashion-mnist": lambda: study_tables.study_table("scaling", "fashion-mnist"),
    "architectures fashion-mnist": lambda: study_tables.study_table(
        "architectures", "fashion-mnist"
    ),
    "augmentation fashion-mnist": lambda: study_tables.study_table("augmentation", "fashion-mnist"),
    "early-stopping fashion-mnist": lambda: study_tables.study_table(
        "early-stopping", "fashion-mnist"
    ),
    "course": course_table.course_table,
    "records": records_tables.records_table,
    "records ladder": records_tables.ladder_table,
    "checking": checking_tables.summary_table,
    "checking matrix": checking_tables.matrix_table,
    "checking library": checking_tables.library_table,
    "checking library matrix": checking_tables.library_matrix,
    "kept-features": evidence_tables.kept_table,
    "final-tuned fashion-mnist": lambda: study_tables.cost_table("final-tuned", "fashion-mnist"),
    "final-shortened fashion-mnist": lambda: study_tables.cost_table(
        "final-shortened", "fashion-mnist"
    ),
    "transfer fashion-mnist": lambda: transfer_tables.transfer_table("transfer", "fashion-mnist"),
    "transfer-lite0 fashion-mnist": lambda: transfer_tables.transfer_table(
        "transfer-lite0", "fashion-mnist"
    ),
    "transfer gains": lambda: transfer_tables.gains_table("transfer", "fashion-mnist"),
    "tuning": lambda: tuning_tables.tuning_table("layered-mlp", ("mnist", "fashion-mnist")),
    "importance": lambda: tuning_tables.importance_table("layered-mlp", ("mnist", "fashion-mnist")),
    "mlp-batch-size mnist": lambda: study_tables.cost_table("mlp-batch-size", "mnist"),
    "mlp-vs-svm mnist": lambda: study_tables.cost_table("mlp-vs-svm", "mnist"),
    "mlp-vs-svm growth": lambda: study_tables.growth_table("mlp-vs-svm", "mnist"),
    "b2 listing": listing_tables.b2_table,
    "svm-grid mnist": lambda: study_tables.grid_table("svm-grid", "mnist"),
    "svm-grid fashion-mnist": lambda: study_tables.grid_table("svm-grid", "fashion-mnist"),
}


def rendered(page: str) -> str:
    """The page with every marked table rendered again; KeyError for an unknown table."""
    return MARKED.sub(lambda m: m[1] + TABLES[m[2]]() + m[3], page)


def drifted() -> list[Path]:
    """The pages that differ from the ledger."""
    texts = {page: page.read_text(encoding="utf-8") for page in PAGES}
    return [page for page, text in texts.items() if rendered(text) != text]


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        stale = drifted()
        print("\n".join(f"{page} differs from the ledger" for page in stale))
        sys.exit(1 if stale else 0)
    for each in PAGES:
        atomic.write_text(each, rendered(each.read_text(encoding="utf-8")))
