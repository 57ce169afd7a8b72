"""Tables of audits, comparisons and evaluations: what they find and what they cost."""

from __future__ import annotations

from statistics import fmean
from typing import Any

from benchmarks import ledger
from benchmarks.markdown import machine_text, markdown, measured


def audit_table() -> str:
    """How many of MNIST's rejected test labels are among the first suspects, per seed."""
    line = ledger.newest_benchmark("audit")
    figures = line["figures"]
    rows = [
        [
            f"first {depth}",
            " / ".join(map(str, found)),
            f"{fmean(found) / figures['n_rejected']:.2f}",
        ]
        for depth, found in figures["found"].items()
    ]
    columns = ("suspects", f"of {figures['n_rejected']} found, by seed", "recall, mean")
    return measured(line, columns, rows)


def comparing_table() -> str:
    """The answers of `mnistlab compare`, word for word."""
    line = ledger.newest_benchmark("comparing")
    rows = [[asked, answer] for asked, answer in line["figures"]["answers"].items()]
    return measured(line, ("compared", "answer"), rows)


def family_wise_table() -> str:
    """Answers about equal arms that claim a difference, before the correction and after."""
    before, after = _family_wise()
    rows = [
        [
            str(old["arms"]),
            str(old["seeds"]),
            *(_percent(line[key]) for key in FAMILY_WISE for line in (old, new)),
        ]
        for old, new in zip(before["cells"], after["cells"], strict=True)
    ]
    columns = (
        "arms",
        "seeds",
        *(f"{what}, {when}" for what in FAMILY_WISE.values() for when in ("before", "now")),
    )
    line = ledger.newest_benchmark("family_wise")
    note = f"{before['n_answers']:,} answers per cell before, {after['n_answers']:,} now."
    return f"{markdown(columns, rows)}\n{note}\n{machine_text(line)}\n"


def family_wise_studies_table() -> str:
    """The same for every study of several arms."""
    before, after = _family_wise()
    rows = [
        [f"`{name}`", *(_percent(line["studies"][name] or None) for line in (before, after))]
        for name in after["studies"]
    ]
    return markdown(("study", "claims a difference, before", "now"), rows)


FAMILY_WISE = {
    "equal": "equal arms: claims a difference",
    "beside_better": "half are better: claims one of an equal arm",
    "better_found": "half are better: of these found",
}


def _family_wise() -> tuple[dict[str, Any], dict[str, Any]]:
    """The newest numbers for uncorrected answers, and for corrected ones."""
    lines = [line for line in ledger.read() if line["name"] == "family_wise"]
    by_rule = {line["figures"]["correction"]: line["figures"] for line in lines}
    return by_rule["none"], by_rule["Holm"]


def _percent(fraction: float | None) -> str:
    return "–" if fraction is None else f"{100 * fraction:.1f} %"


def evaluating_table() -> str:
    """Seconds of an evaluation without the network's own, and sizes of pages."""
    line = ledger.newest_benchmark("evaluating")
    figures = line["figures"]
    predicting = zip(figures["seconds"], figures["naming_s"], strict=True)
    besides = [whole - of_network for whole, of_network in predicting]
    rows = [
        [
            f"evaluation of {figures['n_images']:,} images and page, besides naming them",
            " / ".join(f"{seconds:.1f} s" for seconds in besides),
        ],
        *(
            [f"page of a {name}", f"{megabytes:.2f} MB"]
            for name, megabytes in figures["page_mb"].items()
        ),
    ]
    return measured(line, ("what", "measured, by turn"), rows)


def kept_table() -> str:
    """Stage 1 of transfer learning with cached features, beside the plain loop."""
    line = ledger.newest_benchmark("kept_features")
    figures = line["figures"]
    rows = [
        [
            name,
            " / ".join(f"{seconds:.1f}" for seconds in turns),
            " / ".join(f"{value:.3f}" for value in figures["val_accuracy"][name]),
            "1x" if name == "plain" else f"**{figures['faster']:.2f}x**",
        ]
        for name, turns in figures["seconds"].items()
    ]
    columns = ("features", "seconds, by turn", "validation accuracy", "faster, median of pairs")
    return measured(line, columns, rows)
