"""Image files beside a table of their labels: which column names them, which has the labels."""
