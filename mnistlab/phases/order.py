"""In what order an epoch sees the images."""

from __future__ import annotations

from mnistlab.bounds import shown
from mnistlab.errors import RecipeError

ORDERS = ("shuffled", "file")  # anew for each epoch; as the images come, the same every epoch


def check_order(order: str) -> None:
    """RecipeError for an unknown order."""
    if order not in ORDERS:
        raise RecipeError(f"unknown order {shown(order)}; there are: {', '.join(ORDERS)}")
