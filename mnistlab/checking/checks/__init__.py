"""The checks, one subject per file; each takes a context and adds its findings."""
