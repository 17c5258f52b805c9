"""The shared look of every figure: style, colours, and how one is saved.

Figures are built through matplotlib's object-oriented API, never pyplot, so that no window system is touched and
the import stays light. Colours are those of Okabe & Ito (2008), told apart by all common kinds of colour vision;
methods differ in marker and dash as well.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from simlab.contracts import SimlabError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, FAINT = "#1b1f24", "#5f6b76", "#d9dee3"
EXCITATORY, INHIBITORY = "#c8421a", "#0a6aa8"
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6a4c93", "#4d4d4d")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "h")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))

STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.0,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 6.0,
    "axes.labelsize": 8.0,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.minor.size": 1.8,
    "ytick.minor.size": 1.8,
    "text.color": INK,
    "text.parse_math": False,  # a plug-in's name may hold a dollar sign
    "axes.formatter.use_mathtext": False,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "lines.linewidth": 1.3,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "simlab",  # the same figure gives the same file
    "figure.dpi": 100.0,
    "savefig.dpi": 200.0,
}

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

P = ParamSpec("P")
R = TypeVar("R")


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Runs a drawing function in the house style and leaves matplotlib's settings as they were."""

    @wraps(draw)
    def in_style(*args: P.args, **kwargs: P.kwargs) -> R:
        import matplotlib

        with matplotlib.rc_context(cast(Any, STYLE)):
            return draw(*args, **kwargs)

    return in_style


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this size [inch] whose layout keeps labels apart."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save(figure: Figure, path: Path) -> Path:
    """Writes the figure as .svg, .png or .pdf, byte-identical for identical content.

    Raises SimlabError where the suffix names no such format or the folder cannot be written.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in WRITERS:
        raise SimlabError(f"a figure is saved as .svg, .png or .pdf, got {path.name!r}: change its suffix")
    return write(path, rendered(figure, kind))


@styled
def rendered(figure: Figure, kind: str) -> bytes:
    """The figure as the content of a file of this kind, one of `WRITERS`."""
    module, canvas, timestamp = WRITERS[kind]
    figure.set_dpi(STYLE["savefig.dpi"])
    into = BytesIO()
    writer = getattr(import_module(f"matplotlib.backends.{module}"), canvas)(figure)
    getattr(writer, f"print_{kind}")(into, metadata={timestamp: None})  # savefig would draw everything twice
    return into.getvalue()


def write(path: Path, content: bytes) -> Path:
    """A figure's file, its folder made; SimlabError where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise SimlabError(f"cannot write the figure {path}: {error.strerror or error}") from error
    return path


WRITERS = {
    "svg": ("backend_svg", "FigureCanvasSVG", "Date"),
    "png": ("backend_agg", "FigureCanvasAgg", "Software"),
    "pdf": ("backend_pdf", "FigureCanvasPdf", "CreationDate"),
}
"""For each format: matplotlib's module and canvas, and the metadata that would make two runs differ."""


@dataclass(frozen=True)
class Plate:
    """A figure as a page shows it: `source` is where it lies or the whole image, `alt` what it shows in words."""

    source: str
    alt: str
    caption: str
    grey: tuple[str, ...] = ()  # what its grey lines are


LARGE = 300_000
"""Bytes from which on a figure is rather shown as pixels, where these are fewer."""


@dataclass(frozen=True)
class Gallery:
    """The folder that a report's figures are saved in; without one they are embedded. Each name is given once."""

    folder: Path | None
    taken: set[str] = field(default_factory=set)

    def add(self, name: str, figure: Figure, alt: str, caption: str = "", grey: Sequence[str] = ()) -> Plate:
        """Saves the figure, as SVG or, where that is large, as PNG, and returns it ready to show."""
        kind, content = "svg", rendered(figure, "svg")
        if len(content) > LARGE and len(pixels := rendered(figure, "png")) < len(content):
            kind, content = "png", pixels
        stem = unique_slug(name, self.taken)
        if self.folder is None:
            media = {"svg": "image/svg+xml", "png": "image/png"}[kind]
            source = f"data:{media};base64,{base64.b64encode(content).decode('ascii')}"
        else:
            source = f"{self.folder.name}/{write(self.folder / f'{stem}.{kind}', content).name}"
        return Plate(source, alt, caption, tuple(grey))


def unique_slug(name: str, taken: set[str]) -> str:
    """A safe file name for any text, unlike those already taken (which it joins)."""
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "figure"
    slug, n = base, 2
    while slug in taken:
        slug, n = f"{base}-{n}", n + 1
    taken.add(slug)
    return slug


def line_look(index: int) -> dict[str, Any]:
    """Colour, marker and dash of the index-th of many lines: the first 8 x 4 are all different."""
    return {
        "color": PALETTE[index % len(PALETTE)],
        "marker": MARKERS[index % len(MARKERS)],
        "linestyle": DASHES[(index // len(PALETTE)) % len(DASHES)],
    }


def plain_number(value: float) -> str:
    """A number as an axis or a cell shows it: two or three digits, powers of ten beyond 1e-3 and 1e6, `–` for none."""
    if value != value:
        return "–"
    if value in (float("inf"), float("-inf")):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if size and not 1e-3 <= size < 1e6:
        mantissa, exponent = f"{value:.1e}".split("e")
        power = "10" + str(int(exponent)).translate(SUPERSCRIPT)
        return (power if float(mantissa) == 1 else f"{mantissa}×{power}").replace("-", "−")
    digits = 0 if size >= 100 or float(value).is_integer() else 1 if size >= 10 else 2 if size >= 0.1 else 3
    return f"{value:,.{digits}f}".replace(",", " ").replace("-", "−")


def in_unit(what: str, unit: str) -> str:
    """The name of an axis or bar with its unit in brackets; a unit of "1" is told as dimensionless."""
    return f"{what} [{'dimensionless' if unit == '1' else unit}]" if unit else what


def tick_number(value: float) -> str:
    """A number with no more digits than it needs, as at a tick."""
    return plain_number(value) if not 1e-3 <= abs(value) < 1e4 else f"{value:g}".replace("-", "−")


def log_axis(axes: Axes, which: str, values: Sequence[float] | None = None) -> None:
    """Makes an axis logarithmic with plain-number ticks, at `values` where they are given."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    getattr(axes, f"set_{which}scale")("log")
    axis = getattr(axes, f"{which}axis")
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick_number(value)))
    axis.set_minor_formatter(NullFormatter())
    if values is not None:
        axis.set_major_locator(FixedLocator(list(values)))
        axis.set_minor_locator(FixedLocator([]))


def empty(axes: Axes, message: str) -> None:
    """Says in the panel why there is nothing in it."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.text(0.5, 0.5, message, transform=axes.transAxes, ha="center", va="center", color=MUTED, wrap=True)
