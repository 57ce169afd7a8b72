"""What the tests of the service share: a small ONNX file, and requests without a socket."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

CLASSES = ("zero", 'a "b" 100 %', "größer")
SIDE = 28
WEIGHTS = np.random.default_rng(0).normal(0, 0.01, (SIDE * SIDE, len(CLASSES))).astype(np.float32)
FACTS = {
    "classes": json.dumps(CLASSES),
    "image_shape": json.dumps([SIDE, SIDE]),
    "preparation": "digit",
    "unusual_above": "0.5",
    "test_accuracy": "0.9",
    "test_accuracy_ci": "[0.88, 0.92]",
    "recipe": "of a test",
    "data": "mnist",
}


def write_model(path: Path, facts: dict[str, str] | None = None, sign: float = 1.0) -> Path:
    """Softmax regression on grey levels; its distance is the mean level of an image, 0 to 1."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    flat = numpy_helper.from_array(np.array([-1, SIDE * SIDE], np.int64), "flat")
    weights = numpy_helper.from_array(sign * WEIGHTS, "weights")
    full = numpy_helper.from_array(np.array(255, np.float32), "full")
    axes = numpy_helper.from_array(np.array([1], np.int64), "axes")
    nodes = [
        helper.make_node("Cast", ["images"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["levels", "flat"], ["rows"]),
        helper.make_node("MatMul", ["rows", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        helper.make_node("Div", ["rows", "full"], ["bright"]),
        helper.make_node("ReduceMean", ["bright", "axes"], ["distance"], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", SIDE, SIDE])],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", len(CLASSES)]),
            helper.make_tensor_value_info("distance", TensorProto.FLOAT, ["N"]),
        ],
        [flat, weights, full, axes],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, FACTS if facts is None else facts)
    onnx.save(model, path)
    return path


def expected(images: np.ndarray) -> np.ndarray:
    """The probabilities of `write_model`, by NumPy."""
    logits = images.reshape(len(images), -1).astype(np.float64) @ WEIGHTS
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def picture(image: np.ndarray, kind: str = "PNG") -> bytes:
    """An image file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind, **({"lossless": True} if kind == "WEBP" else {}))
    return file.getvalue()


def multipart(contents: list[bytes], name: str = "images") -> tuple[str, bytes]:
    """A content type and a body that holds files."""
    head = f'Content-Disposition: form-data; name="{name}"; filename="x.png"'
    parts = [b"--cut\r\n" + head.encode() + b"\r\n\r\n" + each + b"\r\n" for each in contents]
    return "multipart/form-data; boundary=cut", b"".join(parts) + b"--cut--\r\n"


class Answered(NamedTuple):
    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def asked(
    service: Any,
    path: str = "/v1/predict",
    body: bytes = b"",
    content_type: str = "application/octet-stream",
    *,
    method: str = "POST",
    headers: tuple[tuple[bytes, bytes], ...] = (),
    chunks: int = 1,
) -> Answered:
    """One request, as a server would hand it over."""
    path, _, query = path.partition("?")
    given = [(b"content-type", content_type.encode("latin-1")), *headers]
    if not any(name == b"host" for name, _ in headers):
        given.append((b"host", b"localhost:8000"))
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode("latin-1"),
        "headers": given,
        "client": ("127.0.0.1", 1),
    }
    step = max(1, -(-len(body) // chunks))
    pieces = [body[at : at + step] for at in range(0, len(body), step)] or [b""]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Any) -> None:
        sent.append(message)

    await service(scope, receive, send)
    start, content = sent
    return Answered(start["status"], dict(start["headers"]), content["body"])
