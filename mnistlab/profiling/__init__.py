"""Profiles: what is in a data set - classes, splits, grey levels, images.

The page is in profiling.page, which alone needs matplotlib.
"""

from mnistlab.profiling.measuring import Profile, profile

__all__ = ["Profile", "profile"]
