"""Data: where images and labels come from, and how they are cut into train, val and test.

published/ knows data sets by name and fetches them, readers/ reads your own files;
loading.py is the one way in, exporting.py the way out. dataset.py and splits.py hold
what every other room works with. Nothing here imports torch, and importing it loads
NumPy alone.
"""

from mnistlab.data.dataset import Dataset
from mnistlab.data.exporting import export
from mnistlab.data.loading import load
from mnistlab.data.published.resolve import available, fetch
from mnistlab.data.published.sources import SOURCES
from mnistlab.data.splits import PROTOCOLS, Split, split

__all__ = [
    "PROTOCOLS",
    "SOURCES",
    "Dataset",
    "Split",
    "available",
    "export",
    "fetch",
    "load",
    "split",
]
