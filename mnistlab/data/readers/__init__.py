"""File formats; every file is hostile until parsed.

Each folder has one form of data sets: tables/ of pixels (CSV, TSV), folders/ of image files,
label_tables/ beside image files, binary/ arrays (IDX, NPZ, NPY, HDF5). parquet.py reads what
Hugging Face writes. What the forms share lies here: content.py unpacks within limits; labels.py,
levels.py and shapes.py decide what numbers mean; unlabelled.py opens images to be predicted.
"""
