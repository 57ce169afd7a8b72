"""Pictures of results: arrays in, `Figure` out. Importing one of the files loads matplotlib.

Each function declares a drawing (`canvas.figure`) with one of the kits: `charts` (axes and rows),
`tiles` (images), `matrix` (shaded cells). To add a figure, declare it in the file of its subject.
"""
