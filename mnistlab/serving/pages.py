"""The pages of a service: its description, and where to go. No script, nothing from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any

from mnistlab.serving.model import Model

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { border-top: 1px solid #8886; padding-top: 1rem; margin-top: 2rem; }
code, pre { font-family: ui-monospace, monospace; font-size: 0.9em; }
pre { background: #8882; padding: 0.75rem; border-radius: 0.5rem; overflow-x: auto; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: 0.2rem 1rem 0.2rem 0; vertical-align: top; }
td:first-child { font-family: ui-monospace, monospace; white-space: nowrap; }
"""


def docs_page(description: dict[str, Any]) -> str:
    """The OpenAPI description as a page."""
    info = description["info"]
    paths = "".join(
        _path(method, path, operation)
        for path, operations in description["paths"].items()
        for method, operation in operations.items()
    )
    schemas = "".join(
        f"<h3 id='{escape(name)}'>{escape(name)}</h3>"
        f"<pre tabindex='0'>{escape(json.dumps(schema, indent=2))}</pre>"
        for name, schema in description["components"]["schemas"].items()
    )
    token = "securitySchemes" in description["components"]
    needs = "<p>Requests carry <code>Authorization: Bearer TOKEN</code>.</p>" if token else ""
    return _page(
        f"{info['title']} {info['version']}",
        f"<p>{escape(info['description'])} For programs: "
        f"<a href='/openapi.json'>openapi.json</a>.</p>{needs}{paths}<h2>Schemas</h2>{schemas}",
    )


def start_page(models: Sequence[Model]) -> str:
    """The models, and where the rest is."""
    rows = "".join(
        f"<tr><td>{escape(model.name)}</td><td>{len(model.facts.classes)} classes, "
        f"{model.shape[0]} x {model.shape[1]} pixels</td><td>{_accuracy(model)}</td></tr>"
        for model in models
    )
    return _page(
        "mnistlab",
        "<p>This service classifies images. <a href='/docs'>How to use it</a> · "
        "<a href='/v1/models'>models</a> · <a href='/metrics'>metrics</a></p>"
        f"<table><tr><th>model</th><th>images</th><th>test accuracy</th></tr>{rows}</table>",
    )


def _accuracy(model: Model) -> str:
    accuracy = model.facts.test_accuracy
    return "not measured" if accuracy is None else f"{100 * accuracy:.2f} %"


def _path(method: str, path: str, operation: dict[str, Any]) -> str:
    heading = f"<h2><code>{method.upper()} {escape(path)}</code></h2>"
    parts = [heading, f"<p>{escape(operation['summary'])}</p>"]
    if "description" in operation:
        parts.append(f"<p>{escape(operation['description'])}</p>")
    if parameters := operation.get("parameters"):
        parts.append(_table([_parameter(each) for each in parameters]))
    if body := operation.get("requestBody"):
        parts.append(_table([(kind, "body") for kind in body["content"]]))
    responses = operation["responses"].items()
    parts.append(_table([(status, each["description"]) for status, each in responses]))
    return "".join(parts)


def _parameter(parameter: dict[str, Any]) -> tuple[str, str]:
    values = ", ".join(parameter["schema"]["enum"])
    return f"?{parameter['name']}=", f"{parameter['description']} One of: {values}."


def _table(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><td>{escape(left)}</td><td>{escape(right)}</td></tr>" for left, right in rows
    )
    return f"<table>{cells}</table>"


def _page(title: str, body: str) -> str:
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
