"""The service in the OpenAPI format, version 3.1: https://spec.openapis.org/oas/v3.1.0"""

from __future__ import annotations

from typing import Any

from mnistlab.serving.settings import ServeSettings
from mnistlab.version import __version__

ERROR = {"$ref": "#/components/schemas/Error"}
REFUSALS = {
    400: "A header or the body is damaged.",
    401: "The token is missing or wrong.",
    404: "There is no such model or path.",
    408: "The request was not sent in time.",
    413: "The body, its pictures or their number are too large.",
    415: "The content type is none that is read.",
    421: "The header Host names another computer.",
    422: "The body is read, but holds no images that fit.",
    429: "Too much is asked at the same time; see the header Retry-After.",
}
PICTURE = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}


def described(names: list[str], settings: ServeSettings) -> dict[str, Any]:
    """The description of a service of these models, ready for JSON."""
    content: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "mnistlab",
            "version": __version__,
            "description": "Classifies small grey images.",
        },
        "paths": {
            "/v1/predict": {"post": _predict(names, settings)},
            "/v1/models": {"get": _get("The models and what is known of them.", "Models")},
            "/healthz": {"get": _get("Whether the service runs.", "Status")},
            "/readyz": {"get": _get("Whether it answers predictions.", "Status")},
            "/metrics": {"get": _text("Counters in Prometheus' text format.", "text/plain")},
            "/openapi.json": {"get": _get("This description.", "Description")},
            "/docs": {"get": _text("This description as a page.", "text/html")},
            "/": {"get": _text("A page to draw on, or the models.", "text/html")},
        },
        "components": {"schemas": _schemas()},
    }
    if settings.token is not None:
        content["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        content["security"] = [{"token": []}]
        for path in ("/healthz", "/readyz", "/openapi.json", "/docs"):
            content["paths"][path]["get"]["security"] = []
    return content


def _predict(names: list[str], settings: ServeSettings) -> dict[str, Any]:
    limits = settings.limits
    return {
        "summary": "The classes of one or more images.",
        "description": (
            f"At most {limits.images} images, {limits.body_bytes} bytes and {limits.pixels} pixels "
            "in a request. Grey levels as bytes have the size of the model's images, one after "
            "another. Pictures of another size are prepared as the training images were."
        ),
        "operationId": "predict",
        "parameters": [
            {
                "name": "model",
                "in": "query",
                "description": f"Without it: {names[0]}.",
                "schema": {"type": "string", "enum": names},
            },
            {
                "name": "prepare",
                "in": "query",
                "description": "Prepare pictures: those of another size, all, or none.",
                "schema": {"type": "string", "enum": ["auto", "yes", "no"], "default": "auto"},
            },
        ],
        "requestBody": {
            "required": True,
            "content": {
                "image/png": PICTURE,
                "image/jpeg": PICTURE,
                "image/webp": PICTURE,
                "application/octet-stream": PICTURE,
                "application/json": {"schema": {"$ref": "#/components/schemas/Images"}},
                "multipart/form-data": {"schema": {"$ref": "#/components/schemas/Files"}},
            },
        },
        "responses": {"200": _json("The predictions, in the order of the images.", "Predictions")}
        | _refused(*REFUSALS),
    }


def _get(summary: str, schema: str) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": _json(summary, schema)} | _refused(421, 429)}


def _text(summary: str, media_type: str) -> dict[str, Any]:
    shown = {"description": summary, "content": {media_type: {"schema": {"type": "string"}}}}
    return {"summary": summary, "responses": {"200": shown} | _refused(421, 429)}


def _json(description: str, schema: str) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {"description": description, "content": {"application/json": {"schema": reference}}}


def _refused(*statuses: int) -> dict[str, Any]:
    return {
        str(status): {
            "description": REFUSALS[status],
            "content": {"application/json": {"schema": ERROR}},
        }
        for status in statuses
    }


def _schemas() -> dict[str, Any]:
    fraction = {"type": "number", "minimum": 0, "maximum": 1}
    level = {"type": "integer", "minimum": 0, "maximum": 255}
    rows = {"type": "array", "minItems": 1, "items": {"type": "array", "items": level}}
    base64 = {"type": "string", "contentEncoding": "base64", "description": "PNG, JPEG or WEBP."}
    return {
        "Error": _object({"error": {"type": "string"}}),
        "Status": _object({"status": {"type": "string"}}),
        "Description": {"type": "object"},
        "Images": _object(
            {"images": {"type": "array", "minItems": 1, "items": {"anyOf": [rows, base64]}}}
        ),
        "Files": {
            "type": "object",
            "properties": {"images": {"type": "array", "items": {"type": "string"}}},
        },
        "Predictions": _object(
            {
                "model": {"type": "string"},
                "predictions": {
                    "type": "array",
                    "items": {"$ref": "#/components/schemas/Prediction"},
                },
            }
        ),
        "Prediction": _object(
            {
                "label": {"type": "string"},
                "probability": fraction,
                "probabilities": {"type": "object", "additionalProperties": fraction},
                "unusual": {
                    "type": ["boolean", "null"],
                    "description": "Unlike the training images; null where that is not known.",
                },
                "distance": {
                    "type": "number",
                    "description": "To the nearest training images; unusual above unusual_above.",
                },
            },
            optional=("distance",),
        ),
        "Models": _object(
            {
                "models": {"type": "array", "items": {"type": "object"}},
                "default": {"type": "string"},
            }
        ),
    }


def _object(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}
