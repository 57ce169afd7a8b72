"""Profiling: what is in a data set - classes, parts, grey levels, images.

Its page lies in profiling.page, apart, since it alone needs matplotlib.
"""

from mnistlab.profiling.measuring import Profile, profile

__all__ = ["Profile", "profile"]
