"""Data: where images and labels come from, and how they are split into train, val and test.

published/ downloads data sets known by name, readers/ reads your own files; `load` in loading.py
calls both, `export` in exporting.py writes files. The other rooms work with dataset.py and
splits.py, and read images of any size through large.py. Nothing here imports torch, and importing
this package loads NumPy alone.
"""

from mnistlab.data.dataset import Dataset
from mnistlab.data.exporting import export
from mnistlab.data.loading import load, loaded
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
    "loaded",
    "split",
]
