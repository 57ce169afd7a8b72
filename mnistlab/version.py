"""The version, alone in a file so that packaging can read it without imports."""

__version__ = "1.0.0"
