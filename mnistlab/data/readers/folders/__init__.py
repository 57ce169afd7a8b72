"""Folders of image files: classes, splits, and what is left out."""
