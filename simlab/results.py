"""Results as a user holds them: the tables of a run folder, and its report and figures."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlab.contracts import SimlabError
from simlab.describe import field_docs
from simlab.experiment import Experiment
from simlab.store import results as stored

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simlab.bars import Progress

SHOWN = (
    "question", "method_label", "separation", "recovery", "recovery_low", "recovery_high", "false_recovery", "asked",
    "answered", "abstained", "metric", "value", "chance", "ceiling",
)  # fmt: skip
"""Columns of the leaderboard that a notebook shows."""

UNITS = re.compile(r"(?:.*?\[([^\]]{1,12})\]|(s|ms|Hz|kHz|V|mV|m|mm|um|µm|nS|pA|nA|spikes/s|1/s)(?=[;,:.) ]|$))")
"""How the note on a field states its unit: `width [s]`, or `s; Brunel 2000`."""


class Results(stored.Results):
    """What a run folder holds, finished or not: tables (pandas), claims, report, and figures on matplotlib axes."""

    def report(self, out: Path | str | None = None) -> Path:
        """Writes the report, by default into the run folder, and returns its path."""
        from simlab.report import write_report

        return write_report(self, None if out is None else Path(out))

    def bounds(self, subjects: int = 40, progress: Progress | None = None) -> list[dict[str, Any]]:
        """What could be known: how well circuits are told from rivals by a classifier that saw the truth in training.

        For every circuit and rival, plan and instrument of the grids that ask which of the two it is (`mechanism`,
        `dynamics`), on so many new individuals of either; kept in the run folder, where the report finds it. `youden`
        is comparable with the leaderboard's separation.
        """
        from simlab.bounds.of_run import measure

        return measure(self, subjects, progress)

    def plot_power(
        self,
        over: str,
        *,
        question: str | None = None,
        methods: Sequence[str] | None = None,
        measure: str = "recovery",
        ax: Axes | None = None,
    ) -> Axes:
        """Recovery (or another `measure` of `curve`) against anything that varies, each method a line, on `ax`.

        The eight best of the leaderboard are in colour. Dashed: chance; ticks at the right edge: ceilings; a hollow
        mark: some of the cells asked there were not answered, and the legend counts answered of asked.
        """
        from simlab.report.curve_figure import draw_curve

        asked = self._question(question)
        curve = self.curve(over, measure, question=asked, methods=methods)
        curve.attrs["label"] += self._unit(over)
        return draw_curve(curve, over, measure, ax)

    def plot_false_recovery(
        self,
        over: str,
        *,
        question: str | None = None,
        methods: Sequence[str] | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """How often rivals fool each method, against anything that varies, on `ax`; drawn as by `plot_power`."""
        return self.plot_power(over, question=question, methods=methods, measure="false_recovery", ax=ax)

    def _question(self, question: str | None) -> str | None:
        there = sorted(set(self.table["question"]))
        if question is None and len(there) > 1:
            raise SimlabError(
                f"this run asks {', '.join(there)}, and a figure is of one: give question={there[0]!r}, say"
            )
        return question

    def _unit(self, over: str) -> str:
        """The unit of a swept parameter, ` [s]`, where its part's code states one; else nothing."""
        part, _, parameter = over.partition(".")
        grids = self.spec.grids if parameter and self.spec is not None else ()
        for grid in grids:
            for plugin in getattr(grid, f"{part}s"):
                if plugin is not None and parameter in (notes := field_docs(type(plugin))):
                    found = UNITS.match(notes[parameter])
                    unit = (found[1] or found[2]) if found else "1"
                    return "" if unit == "1" else f" [{unit}]"
        return ""

    def _repr_html_(self) -> str:
        done, cells = self.progress
        left = "" if done >= cells else f": unfinished, {done} of {cells} cells; go on with resume=True"
        head = f"<p><b>{html.escape(self.experiment)}</b>, {done} cells{html.escape(left)}</p>"
        if not done:
            return head
        board = self.leaderboard()
        shown = board[[name for name in SHOWN if name in board]]
        table = shown.to_html(index=False, float_format="%.3g", na_rep="–", escape=True)
        return head + self._failures_html() + table + self._claims_html()

    def _failures_html(self) -> str:
        """How many cells failed and why, above the numbers that they are missing from."""
        from simlab.terminal import failures_text

        said = failures_text(self.table)
        where = "<p><code>print(results.traceback())</code> shows where the first arose</p>" if said else ""
        return f"<pre>{html.escape(said)}</pre>{where}" if said else ""

    def _claims_html(self) -> str:
        try:
            claims = self.claims()
        except SimlabError as error:
            return f"<p>{html.escape(str(error))}</p>"
        return claims._repr_html_() if claims else ""


def open_results(folder: Path | str, experiment: Experiment | None = None) -> Results:
    """The results in a run folder. experiment: what was run, where it is neither registered nor in a file."""
    return Results(folder, experiment)
