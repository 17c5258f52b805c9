"""The example package of six questions: installed without pip, and its parts at hand for direct tests."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "docs" / "examples" / "questions"
QUESTIONS = (
    "clock_latents",
    "clock_filter",
    "clock_type",
    "clock_dynamics",
    "clock_dimensionality",
    "clock_importance",
)
CIRCUITS = ("noisy_clock", "stopped_clock")
METHODS = (
    "clock_components", "clock_triggered_average", "fast_spikers", "lagged_eigenvalues", "clock_parallel_analysis",
    "silence_each",
)  # fmt: skip


def importable() -> None:
    """The package's folder on this process's path; its entry points stay unknown here."""
    if str(SOURCE) not in sys.path:
        sys.path.append(str(SOURCE))


def install(target: Path) -> str:
    """A PYTHONPATH under which the package is installed: its folder, and metadata made of its pyproject."""
    project = tomllib.loads((SOURCE / "pyproject.toml").read_text())["project"]
    metadata = target / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    groups = [
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in points.items())])
        for group, points in project["entry-points"].items()
    ]
    (metadata / "entry_points.txt").write_text("\n\n".join(groups) + "\n")
    return f"{target}:{SOURCE}"
