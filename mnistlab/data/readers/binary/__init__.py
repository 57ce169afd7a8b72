"""Arrays of images and labels: NPZ, NPY, HDF5 and IDX files."""
