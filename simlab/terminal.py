"""Leaderboards, claims and errors as text that fits a terminal."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

TITLES = {
    "method_label": "method", "separation": "separation", "recovery": "recovered", "interval": "95%", "n": "cells",
    "false_recovery": "fooled", "fooled_interval": "95%", "n_rival": "rivals", "abstention": "abstains",
    "value": "value",
    "chance": "chance", "ceiling": "ceiling", "ceiling_recovery": "at ceiling", "error_rate": "errors",
    "rival_error_rate": "rival errors", "rival_abstention": "rival abstains", "over_budget": "over budget",
    "false_recovery_least": "fooled at least", "false_recovery_most": "fooled at most", "n_left_out": "unlike cells",
    "seconds_analysis": "s",
}  # fmt: skip
"""What the columns of a leaderboard are called on a terminal, in their order there."""

IMPORTANT = (
    "method_label", "recovery", "false_recovery", "separation", "n", "abstention", "value", "interval", "error_rate",
    "n_rival", "chance", "fooled_interval", "seconds_analysis", "ceiling", "ceiling_recovery", "n_left_out",
    "over_budget", "rival_error_rate", "rival_abstention", "false_recovery_least", "false_recovery_most",
)  # fmt: skip
"""The same, the most important first: where a terminal is narrow, the last are left out."""

INTERVALS = {
    "interval": ("recovery_low", "recovery_high"),
    "fooled_interval": ("false_recovery_low", "false_recovery_high"),
}
ALWAYS = ("method_label", "recovery", "false_recovery", "separation")
"""Columns that are shown even where they hold nothing but dashes."""

GAP = 2
LEAST_WIDTH = 40


def terminal_width() -> int:
    """Columns of the terminal; 120 where the output goes elsewhere."""
    return max(shutil.get_terminal_size((120, 24)).columns, LEAST_WIDTH)


def board_text(board: pd.DataFrame, width: int, *, everything: bool = False) -> str:
    """A leaderboard, one block per question and league, each row at most `width` characters long.

    What does not fit is left out, the least important first, and said to be; with `everything`, every column is
    printed, those that do not fit in further blocks below.
    """
    if board.empty:
        return "no cells yet"
    blocks, missing = [], []
    for title, rows in _leagues(board):
        cells = _cells(rows, board, everything)
        shown, left = _that_fit(cells, width, list(cells) if everything else IMPORTANT)
        blocks.append(f"{title}\n{_columns(cells, shown, width)}")
        while everything and left:
            shown, left = _that_fit({k: cells[k] for k in ("method_label", *left)}, width, ["method_label", *left])
            blocks.append(_columns(cells, shown, width))
        missing += left
    text = "\n\n".join(blocks)
    if missing and not everything:
        names = ", ".join(
            dict.fromkeys("95% of fooled" if n == "fooled_interval" else TITLES.get(n, n) for n in missing)
        )
        text += f"\n\nleft out for want of room: {names}; all columns: --all, every cell: --csv"
    return text


def _leagues(board: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows that may be compared with one another, and what they are called."""
    for (question, metric, league), rows in board.groupby(["question", "metric", "league"], sort=False, dropna=False):
        others = board.loc[board["question"] == question, "league"].nunique() > 1
        apart = f", league {league} (rates of different leagues are of unlike cells)" if others else ""
        yield f"{question}: value is {metric}{apart}", rows


def _cells(rows: pd.DataFrame, board: pd.DataFrame, everything: bool) -> dict[str, list[str]]:
    """Every column of a block as text."""
    found = {name: [_text(value, name) for value in rows[name]] for name in TITLES if name in rows}
    for name, (low, high) in INTERVALS.items():
        if low in rows and high in rows:
            found[name] = [_interval(a, b) for a, b in zip(rows[low], rows[high], strict=True)]
    ordered = {name: found[name] for name in TITLES if name in found}
    if everything:
        said = {"question", "metric", "league", "method", *(end for pair in INTERVALS.values() for end in pair)}
        others = [str(name) for name in board.columns if name not in ordered and name not in said]
        ordered |= {name: [_text(value, name) for value in rows[name]] for name in others}
    return ordered


def _text(value: Any, name: str) -> str:
    if isinstance(value, str):
        return " ".join(value.split())
    if value is None or value != value:
        return "-"
    if name.startswith("n_") or name in ("n", "league"):
        return f"{value:.0f}"
    return f"{value:.2f}" if isinstance(value, float) and (value == 0 or 0.005 <= abs(value) < 1000) else f"{value:.2g}"


def _interval(low: float, high: float) -> str:
    return "-" if low != low or high != high else f"{low:.2f}..{high:.2f}"


def _that_fit(cells: dict[str, list[str]], width: int, by_importance: Sequence[str]) -> tuple[list[str], list[str]]:
    """Of the columns, those that fit, in their order, and those that do not, the most important first."""
    room = width + GAP  # the first column has no gap before it
    chosen, left = set(), []
    for name in (name for name in by_importance if name in cells and (name in ALWAYS or set(cells[name]) != {"-"})):
        wanted = GAP + min(_wide(name, cells[name]), _widest_label(width))
        if wanted <= room:
            room -= wanted
            chosen.add(name)
        else:
            left.append(name)
    return [name for name in cells if name in chosen], left


def _wide(name: str, texts: Sequence[str]) -> int:
    return max(len(TITLES.get(name, name)), *map(len, texts))


def _widest_label(width: int) -> int:
    return max(16, 3 * width // 10)


def _columns(cells: dict[str, list[str]], shown: Sequence[str], width: int) -> str:
    """Columns side by side: words to the left, numbers to the right."""
    laid = []
    for name in shown:
        size = min(_wide(name, cells[name]), _widest_label(width))
        texts = [cut(text, size) for text in (TITLES.get(name, name), *cells[name])]
        laid.append([text.ljust(size) if name == "method_label" else text.rjust(size) for text in texts])
    return "\n".join((" " * GAP).join(line).rstrip() for line in zip(*laid, strict=True))


def cut(text: str, size: int) -> str:
    """The text, its middle left out where it is longer than `size`: what differs often stands at the end."""
    if len(text) <= size:
        return text
    head = (size - 1) // 2 + 1
    return f"{text[:head]}…{text[len(text) - (size - head - 1) :]}"


def claim_text(verdict: Any) -> str:
    """Two lines: the verdict and the statement, what was measured and what was expected."""
    claim, measured = verdict.claim, verdict.measured
    low, high = claim.band
    interval = "" if measured.low != measured.low else f" [{measured.low:.3g}, {measured.high:.3g}]"
    detail = f"; {measured.detail}" if measured.detail else ""
    return (
        f"{verdict.verdict.upper():12} {claim.name}: {claim.statement}\n"
        f"{'':12} measured {measured.value:.3g}{interval} (n={measured.n}{detail}); "
        f"expected {low:g} to {high:g}; source: {claim.source}"
    )


def failures_text(table: pd.DataFrame, most: int = 3) -> str:
    """How many cells ended with an error, of whomever, and the most frequent reasons; "" where none did."""
    failed = table[table["status"].isin(("error", "fault"))] if len(table) else table
    if not len(failed):
        return ""
    counts = Counter(" ".join(str(reason).split()) for reason in failed["reason"])
    lines = [f"{len(failed)} of {len(table)} cells ended with an error:"]
    lines += [f"{n:6d} x {cut(reason, 200)}" for reason, n in counts.most_common(most)]
    if len(counts) > most:
        lines.append(f"       and {len(counts) - most} other reasons (`simlab results DIR --errors`)")
    return "\n".join(lines)


def errors_text(found: Any) -> str:
    """Each reason why cells failed, with the first of these cells and where in the code it arose."""
    failed = found.table[found.table["status"].isin(("error", "fault", "over_budget"))]
    told = []
    for reason, cells in failed.groupby("reason", sort=False):
        first = cells.iloc[0]
        trace = found.traceback(first["cell"]) or str(reason)
        told.append(f"{len(cells)} x {first['method_label']}, first in cell {first['cell'][:12]}:\n{trace}")
    return "\n\n".join(told) or "no cell ended with an error"


def bounds_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """What could be known of each circuit and rival: a line for each setting, and what tells them apart."""
    lines = []
    for row in rows:
        where = f"{row['instrument_label']}, {row['trials']} x {row['duration']:g} s"
        found = f"{row['youden']:.2f} ({_interval(row['youden_low'], row['youden_high'])})"
        tells = ", ".join(f"{name} ({apart:+.1f} sd)" for name, apart in row["tells"][:3])
        lines.append(f"{row['circuit_label']} | {row['rival_label']} | {where}: {found}\n    {tells}")
    return "\n".join(["separation that a classifier trained on the truth reaches (1: always, 0: chance)", *lines])


def deciding_text(table: pd.DataFrame, board: pd.DataFrame) -> str:
    """Which drawn parameter goes with each method's score, by question; "" where no family was drawn."""
    from simlab.statistics.families import LEAST, family_size, strongest

    blocks = []
    for question, metric in board[["question", "metric"]].drop_duplicates().itertuples(index=False):
        size = family_size(table, question)
        if not size or not isinstance(metric, str):
            continue
        rows = strongest(table, question, metric)
        title = f"{question}: what decides {metric} over {size} subject{'s' * (size > 1)} of a family"
        if rows.empty:
            blocks.append(f"{title}: at least {LEAST} whose scores differ are needed to say")
        else:
            blocks.append("\n".join([title, *(f"  {_deciding_line(line)}" for line in rows.to_dict("records"))]))
    return "\n".join(blocks)


def _deciding_line(line: Mapping[str, Any]) -> str:
    clear = line["low"] > 0 or line["high"] < 0
    figure = f"{line['correlation']:+.2f} [{line['low']:+.2f}, {line['high']:+.2f}]"
    of = f"the strongest of {line['of']}{'' if clear else ', and not told from none'}"
    return f"{line['method_label']}: {line['parameter']}, rank correlation {figure}, {of}"
