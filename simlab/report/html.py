"""The report: a folder of small static pages that need no network, or one self-contained file for a small run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from simlab.contracts import SimlabError
from simlab.progress import report as progress
from simlab.report.content import told
from simlab.report.figures import Gallery
from simlab.report.material import Links, gathered
from simlab.report.rendering import ASSETS, Pages

if TYPE_CHECKING:
    from simlab.store.results import Results


def write_report(results: Results, out: Path | str | None = None) -> Path:
    """Writes the report of a run and returns the path of its first page.

    out: a folder, by default `report` in the run folder, that gets `index.html`, a page for each question, method and
    circuit, and `figures`; or an .html file that holds everything in one. Raises SimlabError where these cannot be
    written.
    """
    out = results.folder / "report" if out is None else Path(out)
    together = out.suffix.lower() == ".html"
    links = Links(together)
    material = gathered(results, links)
    content = told(material, Gallery(None if together else out / "figures"))
    pages = Pages(links)
    try:
        if together:
            return _written(out, pages.single(content))
        for name, text in pages.folder(content):
            _written(out / name, text)
        for name, text in ASSETS.items():
            _written(out / name, text)
    except OSError as error:
        raise SimlabError(f"the report {out} cannot be written ({error}): name another place") from error
    finally:
        progress(1.0, "report")
    return out / "index.html"


def _written(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", errors="replace")
    return file
