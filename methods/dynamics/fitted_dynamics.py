"""The regime read off a fit: directions that last, their time constants, and fixed points of the flow along them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.dynamics._delay import in_the_dark
from methods.dynamics._shapes import Shapes
from methods.dynamics._slow_space import slow_space
from methods.population._population import unusable
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Pause, Repeats, Width


@dataclass(frozen=True)
class FittedDynamics:
    """Fits a linear map, and a cubic flow, to the delay's lasting directions, and names what the fit would do.

    A state model of population activity, read by its fixed points and eigenvalues (Sussillo & Barak 2013, Neural
    Comput 25:626; Macke et al. 2011; Galgali et al. 2023 on what residual dynamics say). Lasting directions are those
    in which activity of the delay's two halves covaries over trials; in them x(t + lag) = A x(t) + b is fitted, with
    the past as instrument, and its eigenvalues give time constants. All longer than the delay: a continuum, called a
    ring or a line by its shape, or bistable where it falls in two clusters; shorter: a fixed point; rotating: a limit
    cycle. In one direction the notes add the fixed points of a cubic flow and whether each is stable.

    It takes what lasts for what holds it: a population that hears of an attractor, slow cells or a hidden chain get the
    same label (Goldman 2009; Qian et al. 2024). Abstains where nothing lasts, since a resting state may be a fixed
    point or no dynamics at all, and where several directions form no ring. Costs a second for 100 units and trials.
    """

    name: ClassVar[str] = "fitted_dynamics"
    question: ClassVar[str] = "dynamics"
    family: ClassVar[str] = "state space"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=8, trials=12)

    bin_width: Width = 0.05  # s
    lag: Width = 0.3  # s, of the map
    level: Level = 0.01  # of a direction's lasting, by shuffled trials
    n_shuffles: Repeats = 200
    min_dark: Pause = 0.8  # s
    wait: Pause = 0.1  # s after the cue, until it has died out in synapses
    shapes: Shapes = field(default_factory=Shapes)

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The regime; the notes give time constants [s], roundness, split and fixed points."""
        refusal = unusable(recording, self.needs)
        if refusal is not None:
            return refusal
        delay = in_the_dark(recording, self.bin_width, self.min_dark, self.wait)
        if isinstance(delay, Finding):
            return delay
        step = float(np.median(np.diff(delay.times)))
        space = slow_space(delay.values, step, self.lag, self.level, self.n_shuffles, rng)
        label, why = self.shapes.name(space, float(delay.times[-1] - delay.times[0]))
        if not label:
            return Finding.abstain(why)
        notes: dict[str, object] = {"time_constants": space.time_constants.tolist(), "split": space.split}
        if space.n_slow > 1:
            notes["roundness"] = space.roundness
        else:
            notes["fixed_points"] = flow_points((delay.values @ space.axes)[:, :, 0], step, self.lag)
        return Finding({"label": label}, notes=notes)


def flow_points(z: np.ndarray, step: float, lag: float) -> list[tuple[float, bool]]:
    """Fixed points of the cubic flow dz/dt = f(z) along one direction (trial, time), and whether each is stable.

    Those within the range of z. Powers of the past are the instruments, since z has noise of its own.
    """
    k = max(1, min(round(lag / step), (z.shape[1] - 1) // 2))
    scale = max(float(np.abs(z - z.mean()).max()), 1e-12)
    x = (z - z.mean()) / scale
    before, now, after = (x[:, i : x.shape[1] - 2 * k + i].ravel() for i in (0, k, 2 * k))
    past, powers = np.vander(before, 4), np.vander(now, 4)
    flow = np.linalg.lstsq(past.T @ powers, past.T @ (after - now), rcond=None)[0]
    roots = np.roots(flow)
    real = np.sort(roots[np.abs(roots.imag) < 1e-9].real)
    inside = real[np.abs(real) <= 1]
    return [(float(z.mean() + scale * at), bool(np.polyval(np.polyder(flow), at) < 0)) for at in inside]
