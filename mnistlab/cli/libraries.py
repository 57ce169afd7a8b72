"""Libraries of the extra `train`, which an installation that only serves networks does not have."""

from __future__ import annotations

# As they are imported; a test compares them with pyproject.toml.
OF_TRAIN = {
    "torch": "torch",
    "torchvision": "torchvision",
    "sklearn": "scikit-learn",
    "threadpoolctl": "threadpoolctl",
    "matplotlib": "matplotlib",
    "polars": "polars",
    "optuna": "optuna",
    "requests": "requests",
    "safetensors": "safetensors",
    "jinja2": "jinja2",
    "scipy": "scikit-learn",  # which brings it
}


def missing_text(error: ModuleNotFoundError) -> str | None:
    """What to say of an import that failed; None where no library of `train` is missing."""
    library = OF_TRAIN.get(error.name or "")
    return library and f"this command needs {library}: pip install 'mnistlab[train]'"
