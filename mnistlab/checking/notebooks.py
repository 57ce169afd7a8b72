"""The code cells of a Jupyter notebook as one text."""

from __future__ import annotations

import json

from mnistlab.errors import DataError


def code_of(text: str, name: str) -> str:
    """Code cells, without the lines that only a notebook understands; DataError for no notebook."""
    try:
        cells = json.loads(text)["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{name} is no Jupyter notebook") from error
    lines = "\n\n".join(code).splitlines()
    # A magic keeps its line, so that the lines below keep their numbers.
    return "\n".join("pass" if line.startswith(("%", "!")) else line for line in lines) + "\n"
