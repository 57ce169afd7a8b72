"""Audits of a data set: labels likely wrong, copies, blank images, and the page about them."""

from mnistlab.auditing.finding import Audit, audit

__all__ = ["Audit", "audit"]
