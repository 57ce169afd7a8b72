"""Exporting: trained runs as files that need nothing of ours - an ONNX model, a page to draw on."""

from mnistlab.exporting.drawing_page import export_page
from mnistlab.exporting.onnx_file import export_onnx

__all__ = ["export_onnx", "export_page"]
