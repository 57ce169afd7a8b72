"""File formats: IDX, CSV, NPZ and folders of images; every file is hostile until parsed.

content.py unpacks within limits; labels.py and shapes.py decide what numbers mean; unlabelled.py
opens any of the formats for images without labels, which are to be predicted.
"""
