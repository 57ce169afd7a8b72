"""Serving: exported models behind HTTP, in a process that never imports torch.

facts.py and model.py read ONNX files, sources.py exports run folders to them, bodies.py reads
requests, batching.py predicts, service.py answers, server.py listens. Uses the extra `serve`.
"""

from mnistlab.serving.settings import Limits, ServeSettings

__all__ = ["Limits", "ServeSettings"]
