"""A student's file as text and as a syntax tree: where things are, and what it is made of."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mnistlab.errors import DataError

MOST_BYTES = 1_000_000
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """A file's text. name: the path shown to the user."""

    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree; DataError with the line where the text is no Python."""
        try:
            return ast.parse(self.text)
        except SyntaxError as error:
            message = f"{self.name}:{error.lineno}: this is no valid Python: {error.msg}"
            raise DataError(message) from error
        except (ValueError, RecursionError, MemoryError) as error:  # null bytes, deep nesting
            raise DataError(f"{self.name}: this is no valid Python: {error}") from error

    @cached_property
    def functions(self) -> list[Function]:
        """Every function and method, in the order of the file."""
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]

    def imports(self, *packages: str) -> bool:
        """Whether the file imports one of these packages."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            if any(name.partition(".")[0] in packages for name in names):
                return True
        return False

    def line_of_function(self, name: str) -> int | None:
        """Where a function or method is defined; the first of that name."""
        lines = [node.lineno for node in self.functions if node.name == name]
        return min(lines, default=None)

    def statement_at(self, line: int) -> tuple[int, int]:
        """First and last line of the smallest statement that spans a line."""
        spans = [
            (node.lineno, node.end_lineno or node.lineno)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0)
        ]
        return min(spans, key=lambda span: span[1] - span[0], default=(line, line))

    def assignments_to(self, name: str) -> list[int]:
        """Lines of the assignments whose target ends in this name, such as self.dW1 for dW1."""
        lines = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign):
                targets = node.targets
            elif isinstance(node, ast.AugAssign | ast.AnnAssign):
                targets = [node.target]
            elif isinstance(node, ast.Dict):
                lines += [
                    key.lineno
                    for key in node.keys
                    if isinstance(key, ast.Constant) and key.value == name
                ]
                continue
            else:
                continue
            if any(name in names_in(target) for target in targets):
                lines.append(node.lineno)
        return sorted(lines)

    @cached_property
    def mentions_momentum(self) -> bool:
        """Whether a name of the file speaks of momentum or velocity."""
        words = {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name)}
        words |= {node.attr for node in ast.walk(self.tree) if isinstance(node, ast.Attribute)}
        words |= {node.arg for node in ast.walk(self.tree) if isinstance(node, ast.arg)}
        return any(
            part in word.lower() for word in words for part in ("moment", "velocit")
        ) or bool(words & {"v", "vW1", "v_W1", "vw1", "vW", "v_w1", "mu"})


def names_in(target: ast.expr) -> Iterator[str]:
    """Every name in an assignment's target: variables, attributes and keys."""
    for node in ast.walk(target):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def read_source(path: Path) -> Source:
    """The text of a .py file or the code cells of an .ipynb; DataError where it is neither."""
    from mnistlab.checking.notebooks import code_of

    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{path} has more than {MOST_BYTES:,} bytes: no exercise is so long")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text in UTF-8") from error
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    return Source(str(path), code_of(text, str(path)) if path.suffix == ".ipynb" else text)


class _Plain(ast.NodeTransformer):
    """Without docstrings, type hints and decorators, and with numbered names."""

    def __init__(self) -> None:
        self.numbers: dict[str, str] = {}

    def renamed(self, name: str) -> str:
        return self.numbers.setdefault(name, f"n{len(self.numbers)}")

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.copy_location(ast.Name(self.renamed(node.id), node.ctx), node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        node.attr = self.renamed(node.attr)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(self.renamed(node.arg))

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        self.generic_visit(node)
        node.arg = self.renamed(node.arg) if node.arg else None
        return node

    def _defined(self, node: ast.AST) -> ast.AST:
        assert isinstance(node, Function | ast.ClassDef)
        node.name = self.renamed(node.name)
        if not isinstance(node, ast.ClassDef):
            node.returns = None
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        self.generic_visit(node)
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _defined


def fingerprint(source: Source) -> str:
    """Equal for two files that differ in comments, layout, docstrings and names only."""
    body = [
        node
        for node in source.tree.body
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    # The tree is copied: renaming would change what the checks read.
    plain = _Plain().visit(ast.parse(ast.unparse(ast.Module(body, []))))
    return hashlib.sha256(ast.dump(plain).encode()).hexdigest()
