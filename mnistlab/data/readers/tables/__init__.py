"""CSV and TSV files of images: a row per image, a column per pixel."""
