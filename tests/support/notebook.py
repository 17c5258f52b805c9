"""Code cells run in a real Jupyter kernel, as a notebook runs them, and what they showed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Shown:
    """The outputs of one cell, as they stand in the saved notebook: a display that was redrawn is there once."""

    outputs: list[dict[str, Any]]

    def text(self, stream: str = "stdout") -> str:
        """All that was printed there."""
        return "".join(out["text"] for out in self.outputs if out["output_type"] == "stream" and out["name"] == stream)

    def html(self, *, displayed: bool = False) -> list[str]:
        """The HTML of the cell's value, or of what it displayed on its way."""
        kind = "display_data" if displayed else "execute_result"
        data = [out["data"] for out in self.outputs if out["output_type"] == kind]
        return [found["text/html"] for found in data if "text/html" in found]

    def pictures(self) -> int:
        """How many figures were shown."""
        return sum("image/png" in out.get("data", {}) for out in self.outputs)


def run_cells(cells: Iterable[str], folder: Path, *, timeout: float = 120.0, **environment: str) -> list[Shown]:
    """Runs the cells one after another in a fresh kernel in `folder`; `nbclient.CellExecutionError` where one raises.

    environment: variables that the kernel sees besides this process's. simlab is this working copy's.
    """
    import nbformat
    from nbclient import NotebookClient

    sources = [nbformat.v4.new_code_cell(source) for source in cells]
    notebook = nbformat.v4.new_notebook(cells=sources)
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support"), *filter(None, [os.environ.get("PYTHONPATH")])])
    seen = os.environ | {"PYTHONPATH": path, "IPYTHONDIR": str(folder / ".ipython")} | environment
    client = NotebookClient(
        notebook, timeout=timeout, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env=seen)
    return [Shown(cell["outputs"]) for cell in notebook["cells"]]
