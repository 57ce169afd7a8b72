"""File formats: IDX, CSV, NPZ and folders of images; every file is hostile until parsed.

content.py unpacks within bounds; labels.py and shapes.py settle what numbers mean;
unlabelled.py opens any of the formats for what is only to be named.
"""
