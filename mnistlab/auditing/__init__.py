"""Auditing: labels likely wrong, copies, blank images. Its page lies in auditing.page."""

from mnistlab.auditing.finding import Audit, audit

__all__ = ["Audit", "audit"]
