"""Data sets known by name: sources.py lists them, resolve.py finds or downloads their files.

locate.py looks on this machine, download.py asks the mirrors, named.py decodes the files.
"""
