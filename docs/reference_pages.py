"""Writes the two reference pages: commands from their help, Python from the public interface."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import typer

import mnistlab
from mnistlab.cli import app

PUBLIC = Path(mnistlab.__file__).with_suffix(".pyi")


def pages() -> dict[str, str]:
    """Markdown by the name of the page."""
    return {"commands.md": commands_page(), "python.md": python_page()}


def commands_page() -> str:
    """Every command with its help, word by word."""
    parts = ["# Commands\n\nThe help of each command, as `mnistlab COMMAND --help` prints it.\n"]
    root = typer.main.get_command(app)
    parts += [_help_of(root, "mnistlab", [])]
    return "\n".join(parts)


def _help_of(command: Any, name: str, before: list[Any]) -> str:
    parent = before[-1] if before else None
    context = command.make_context(name, [], resilient_parsing=True, parent=parent)
    level = "#" * (2 + len(before))
    path = context.command_path
    text = f"{level} {path}\n\n```text\n{command.get_help(context)}\n```\n"
    below = getattr(command, "commands", {})
    return "\n".join([text, *(_help_of(below[each], each, [*before, context]) for each in below)])


def python_page() -> str:
    """The public names by the headings of __init__.pyi, each with its docstring."""
    parts = [
        "# Python\n\n`import mnistlab as ml`: everything below is `ml.NAME`. Whatever is not here "
        "is not public and may change.\n"
    ]
    for line in PUBLIC.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"# ([a-z].*[a-z])$", line):
            if "ruff" not in line:
                parts.append(f"## {heading[1][0].upper()}{heading[1][1:]}\n")
        elif found := re.match(r"from (\S+) import (\w+) as \w+$", line):
            parts.append(_entry(found[1], found[2]))
    return "\n".join(parts)


def _entry(module: str, name: str) -> str:
    value = getattr(mnistlab, name)
    if inspect.ismodule(value):
        said = f"{inspect.getdoc(value) or ''}\n"
    elif isinstance(value, Mapping):
        said = f"A dict with the names {', '.join(f'`{each}`' for each in value)}.\n"
    elif inspect.isclass(value):
        kind = "exception" if issubclass(value, Exception) else "class"
        said = _directive(f"auto{kind}", value, "   :members:")
    elif callable(value):
        said = _directive("autofunction", value)
    else:
        said = f"`{value!r}`, of `{module}`.\n"
    return f"### `{name}`\n\n{said}"


def _directive(name: str, value: Any, *options: str) -> str:
    lines = [f".. {name}:: {value.__module__}.{value.__qualname__}", *options]
    return "\n".join(["```{eval-rst}", *lines, "```", ""])


def without_long_types(
    app: Any, what: str, name: str, value: Any, options: Any, signature: str, returns: str
) -> tuple[str | None, str | None]:
    """Signatures with ndarray[uint8] for NumPy's way of writing it, and {} for a default dict."""
    return tuple(text and _shortened(text) for text in (signature, returns))  # type: ignore[return-value]


def _shortened(text: str) -> str:
    text = text.replace("<factory>", "{}")
    return re.sub(r"~?numpy\.ndarray\[tuple\[[^]]*\], ~?numpy\.dtype\[[^]]*\]\]", "ndarray", text)


def as_plain_sentences(
    app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    """Docstrings are plain sentences: single backticks are code, and no sign is markup.

    A field or an argument that a sentence begins with becomes an entry of a list.
    """
    names = _names_of(value)
    paragraphs = "\n".join(lines).split("\n\n")
    lines[:] = "\n\n".join(_listed(_plain(text), names) for text in paragraphs).splitlines()


def _names_of(value: Any) -> list[str]:
    try:
        return list(inspect.signature(value).parameters)
    except (TypeError, ValueError):
        return []


def _plain(text: str) -> str:
    parts = re.split(r"(`+[^`]+`+)", text)  # every second one is code
    plain = [re.sub(r"([*|]|(?<=\w)_(?=\W|$))", r"\\\1", part) for part in parts[::2]]
    code = [f"``{part.strip('`')}``" for part in parts[1::2]]
    return "".join(chain.from_iterable(zip_longest(plain, code, fillvalue="")))


def _listed(text: str, names: list[str]) -> str:
    """ "a: first. b, c: others." of the arguments a, b and c as two entries."""
    if not names or "\n " in text:  # indented: an example
        return text
    name = "|".join(map(re.escape, names))
    begins = rf"(?:^|(?<=[.;] ))(?=(?:{name})(?:, (?:{name}))*: )"
    parts = re.split(begins, " ".join(text.split()))
    if len(parts) < 2:
        return text
    head, *entries = parts
    listed = [re.sub(r"^([^:]+):", r"- **\1**:", entry.strip()) for entry in entries]
    return "\n".join([head.strip(), "", *listed]).strip()
