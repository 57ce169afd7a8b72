"""Measurements beside real peers, and the ledger every published figure is generated from.

Each benchmark module has `bench()`, which measures and returns its figures;
`mnistlab bench NAME` runs it, `python -m benchmarks.NAME --record` also adds to the ledger.
"""
