"""How a network learns: phases (what to do), schedules, optimizers, and the loop that does it.

Phases are plain values; only `loop` and `hardware` import torch, so a recipe can be
read, changed and printed without it.
"""

from mnistlab.training.phase import Phase

__all__ = ["Phase"]
