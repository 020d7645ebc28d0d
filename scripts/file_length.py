"""Refuse files and functions that have grown too long: 300 lines of code, 40 lines a function.

Documentation does not count: blank lines, comments, docstrings, and the DOCUMENTATION/EXAMPLES/RETURN texts of
plugins. Pure data tables (module names that begin with ``_data_``) are left out.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_LIMIT = 300
FUNCTION_LIMIT = 40
SILENT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


def code_lines(path: Path) -> set[int]:
    """The numbers of the lines that hold code."""
    with path.open("rb") as stream:
        lines = {
            number
            for token in tokenize.tokenize(stream.readline)
            if token.type not in SILENT
            for number in range(token.start[0], token.end[0] + 1)
        }
    return lines - _text_lines(ast.parse(path.read_bytes()))


def _text_lines(tree: ast.Module) -> set[int]:
    """Lines of docstrings and of plugin documentation."""
    found: set[int] = set()
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Expr | ast.Assign) and isinstance(node.value, ast.Constant)
        if is_text and isinstance(node.value.value, str) and node.end_lineno and node.end_lineno > node.lineno:
            found.update(range(node.lineno, node.end_lineno + 1))
    return found


def complaints(path: Path) -> Iterator[str]:
    """What is too long in one file."""
    lines = code_lines(path)
    name = path.relative_to(ROOT)
    if len(lines) > FILE_LIMIT:
        yield f"{name}: {len(lines)} lines of code (at most {FILE_LIMIT}): split it by concern"
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = len(lines & set(range(node.lineno, (node.end_lineno or node.lineno) + 1)))
            if length > FUNCTION_LIMIT:
                yield f"{name}:{node.lineno}: {node.name} has {length} lines of code (at most {FUNCTION_LIMIT})"


def main() -> int:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    paths = [ROOT / name for name in sorted(set(listed)) if name and (ROOT / name).is_file()]
    paths = [path for path in paths if not path.name.startswith("_data_")]
    if not paths:
        print("file_length: git lists no Python file: run it in a checkout", file=sys.stderr)
        return 2
    found = [line for path in paths for line in complaints(path)]
    print("\n".join(found) if found else f"file_length: {len(paths)} files are within the limits")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
