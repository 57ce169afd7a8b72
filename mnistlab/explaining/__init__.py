"""Explaining: why a run says what it says of an image, and whether the explanation can be trusted.

The page is in explaining.page, which alone needs matplotlib.
"""

from mnistlab.explaining.explanation import Explanation
from mnistlab.explaining.writing import explain

__all__ = ["Explanation", "explain"]
