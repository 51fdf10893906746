"""Executes notebooks/eda.py into the documentation, or into a page of its own for any table.

    .venv/bin/python tools/notebook_page.py [--contract FILE] [--source TABLE] --output PAGE.html

No library does it: mkdocs-jupyter brings JupyterLab's styles and its own page layout, where plain
Markdown follows the site's. jupytext reads, nbclient executes; a cell that fails stops the build.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jupytext
import markdown
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "notebooks" / "eda.py"
PAGE = "exploration.md"
SECONDS = 300  # a cell may take so long
STYLE = """:root { color-scheme: light dark } body { font: 16px/1.5 system-ui, sans-serif;
max-width: 52rem; margin: 0 auto; padding: 1rem } table { border-collapse: collapse; display: block;
overflow-x: auto } td, th { padding: .3rem .6rem; text-align: left; border-bottom: 1px solid #8886 }
.chart { margin: 1.5rem 0; overflow-x: auto } .chart img { width: 100%; min-width: 480px } .chart figcaption { display: none; font-weight: 700 }
@media (max-width: 44em) { .chart figcaption { display: block } }
@media (prefers-color-scheme: dark) { .chart img { display: none } .chart img[hidden] { display: block } }"""


def on_page_markdown(text: str, page: Any, **_: Any) -> str:
    """MkDocs' hook: puts what the notebook shows of the shipped table under its page."""
    return f"{text}\n\n{shipped()}" if page.file.src_uri == PAGE else text


@cache
def shipped() -> str:
    """The notebook on the shipped table, executed once a build."""
    return execute({})


def execute(settings: dict[str, str]) -> str:
    """What the executed notebook shows, as Markdown; its code is left out.

    Raises:
        CellExecutionError: a cell failed.
    """
    notebook = jupytext.read(NOTEBOOK)
    with tempfile.TemporaryDirectory() as folder:
        # The kernel writes its connection and its history nowhere else.
        folders = {"JUPYTER_RUNTIME_DIR": folder, "IPYTHONDIR": folder}
        with patch.dict(os.environ, {**folders, **settings}):
            NotebookClient(
                notebook,
                timeout=SECONDS,
                kernel_name="python3",
                resources={"metadata": {"path": ROOT}},
                config=Config(KernelManager={"transport": "ipc"}),  # no port is opened
            ).execute()
    return "\n\n".join(part for cell in notebook.cells for part in shown(cell))


def shown(cell: Any) -> list[str]:
    """What a cell shows, as Markdown."""
    if cell.cell_type == "markdown":
        return [cell.source]
    parts = []
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        text = data.get("text/markdown") or data.get("text/html")
        if text is None:
            raise ValueError(f"a cell of {NOTEBOOK.name} prints what is no page: {output}")
        parts.append(text)
    return parts


def main(arguments: list[str]) -> int:
    """Writes the page of a table."""
    parser = argparse.ArgumentParser(description="Explores a customer table; writes an HTML page.")
    parser.add_argument("--contract", help="the data contract; the shipped one by default")
    parser.add_argument("--source", help="the table; the contract's snapshot by default")
    parser.add_argument("--sha256", help="what the table's bytes must hash to, for an address")
    parser.add_argument("--output", type=Path, required=True, help="the page to write")
    given = parser.parse_args(arguments)
    settings = {
        f"CHURN_EDA_{name.upper()}": str(Path.cwd() / value) if local(value) else value
        for name in ("contract", "source", "sha256")
        if (value := getattr(given, name)) is not None
    }
    try:
        body = execute(settings)
    except CellExecutionError as error:
        print(f"{error.ename}: {error.evalue}", file=sys.stderr)
        return 2 if error.ename == "InputError" else 1
    html = markdown.markdown(body, extensions=["tables", "md_in_html", "toc"])
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(
        f'<!doctype html>\n<html lang="en">{head}<title>Exploration</title>\n<style>{STYLE}</style>\n'
        f"<h1>Exploration</h1>\n{html}\n</html>\n",
        encoding="utf-8",
    )
    print(f"Written: {given.output}")
    return 0


def local(value: str) -> bool:
    """Whether a value names a file here, which the notebook must find from another folder."""
    return (Path.cwd() / value).exists()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
