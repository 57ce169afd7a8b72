"""Watching code that uses PyTorch. Imported only where a student's file uses it."""
