"""Exporting: a trained run as a file that needs nothing of ours - an ONNX model and its card."""

from mnistlab.exporting.onnx_file import export_onnx

__all__ = ["export_onnx"]
