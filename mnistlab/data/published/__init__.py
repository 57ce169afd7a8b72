"""Data sets known by name: sources.py lists them, resolve.py brings their files here.

locate.py looks on this machine, download.py asks the mirrors, named.py decodes what came.
"""
