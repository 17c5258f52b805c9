"""What cells of the visual cortex have in common here: Gabor filters, noise and natural-like frames, and a subject."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

import numpy as np
import xarray as xr

from simlab import truths
from simlab.data import activity, anatomy
from simlab.rules import Within
from simlab.session import Session, Stimulus

Frames = Literal["white", "natural", "leaves"]
"""white: every pixel of every frame its own Gaussian noise. natural: frames with the 1/f amplitudes of natural images
(Field 1987, J Opt Soc Am A 4:2379) and random phases; edges they have none. leaves: discs of all sizes and shades that
hide one another, which gives edges, to which filters respond with heavy tails, and about the same amplitudes (Ruderman
1997, Vision Res 37:3385; Lee, Mumford & Huang 2001, Int J Comput Vis 41:35). Pixels have variance 1 in all, and each
frame of the last two mean 0."""

Side = Annotated[int, Within(4, 64)]
FrameTime = Annotated[float, Within(1e-3, 1.0, "s")]
Cells = Annotated[int, Within(1, 2_000)]
MeanRate = Annotated[float, Within(0.1, 100, "Hz")]
Spread = Annotated[float, Within(0, 2)]

TISSUE = 300e-6
"""Edge [m] of the cube in which the cells lie at random."""


def gabors(n: int, side: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two filters in quadrature for each of n cells, (cell, pixel), of unit norm, within side x side pixels.

    exp(-(x'^2 + (ratio y')^2) / (2 width^2)) cos(2 pi f x' + phase): width 1/8 to 1/6 of the side, f width .3 to .6,
    ratio .5 to 1, as of simple cells of cats and monkeys (Jones & Palmer 1987, J Neurophysiol 58:1233; Ringach 2002, J
    Neurophysiol 88:455), any orientation and phase, centres in the middle half.
    """
    grid = np.arange(side) - (side - 1) / 2
    y, x = (axis[None] for axis in np.meshgrid(grid, grid, indexing="ij"))
    low = (0.0, 0.0, -side / 4, -side / 4, side / 8, 0.5, 0.3)
    high = (np.pi, 2 * np.pi, side / 4, side / 4, side / 6, 1.0, 0.6)
    turn, phase, x0, y0, width, ratio, cycles = rng.uniform(low, high, (n, len(low))).T[..., None, None]
    frequency = cycles / width
    along = (x - x0) * np.cos(turn) + (y - y0) * np.sin(turn)
    across = -(x - x0) * np.sin(turn) + (y - y0) * np.cos(turn)
    envelope = np.exp(-(along**2 + (ratio * across) ** 2) / (2 * width**2))
    pair = [envelope * wave(2 * np.pi * frequency * along + phase) for wave in (np.cos, np.sin)]
    flat = [part.reshape(n, -1) for part in pair]
    first = flat[0] / np.linalg.norm(flat[0], axis=1, keepdims=True)
    second = flat[1] - (flat[1] * first).sum(axis=1, keepdims=True) * first
    return first, second / np.linalg.norm(second, axis=1, keepdims=True)


def amplitudes(side: int, frames: Frames) -> np.ndarray:
    """(side, side) what the Fourier amplitudes of white frames are multiplied by; pixels keep variance 1.

    Of leaves: about."""
    if frames == "white":
        return np.ones((side, side))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    frequency[0, 0] = 1.0
    falling = 1 / frequency
    falling[0, 0] = 0.0  # the mean luminance does not flicker
    return np.asarray(falling / np.sqrt((falling**2).mean()))


def shown(shape: tuple[int, int], side: int, frames: Frames, rng: np.random.Generator) -> np.ndarray:
    """Frames (trial, frame, pixel), each drawn on its own."""
    if frames == "leaves":
        return (_leaves(shape[0] * shape[1], side, rng) / _spread_of_leaves(side)).reshape(*shape, -1)
    white = rng.standard_normal((*shape, side, side))
    if frames == "white":
        return white.reshape(*shape, -1)
    turned = np.fft.fft2(white) * amplitudes(side, frames)
    return np.fft.ifft2(turned).real.reshape(*shape, -1)


N_UNSEEN = 200
"""Frames whose responses are asked for, where a question asks for prediction."""

N_LEAVES = 40
"""Fallen on a frame, each over those before it."""


def _leaves(number: int, side: int, rng: np.random.Generator) -> np.ndarray:
    """(frame, side, side): discs with radii of 1 pixel to the side, r^-3 of them, of any shade from -1 to 1."""
    y, x = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    pictures = np.broadcast_to(rng.uniform(-1, 1, (number, 1, 1)), (number, side, side)).copy()
    for _ in range(N_LEAVES):
        radius = 1 / np.sqrt(rng.uniform(1 / side**2, 1, number))
        centre = rng.uniform(-radius, side - 1 + radius, (2, number))
        shade = rng.uniform(-1, 1, number)
        away = (y - centre[0, :, None, None]) ** 2 + (x - centre[1, :, None, None]) ** 2
        pictures = np.where(away < radius[:, None, None] ** 2, shade[:, None, None], pictures)
    return pictures - pictures.mean(axis=(1, 2), keepdims=True)


@cache
def _spread_of_leaves(side: int) -> float:
    return float(_leaves(4000, side, np.random.default_rng(0)).std())


def unit_drive(filters: np.ndarray, side: int, frames: Frames) -> np.ndarray:
    """The filters (cell, pixel), scaled so that their products with such frames have variance 1."""
    spectrum = np.abs(np.fft.fft2(filters.reshape(-1, side, side))) * amplitudes(side, frames)
    spread = np.sqrt((spectrum**2).mean(axis=(1, 2)))
    return np.asarray(filters / np.maximum(spread, 1e-12)[:, None])


@dataclass(frozen=True, eq=False)
class VisualSubject:
    """One animal that looks at frames.

    rates: (frames (trial, frame, pixel), rng) -> (trial, frame, cell) [Hz]. first, second: (cell, pixel), zero where a
    cell has none. alike: (cell,) the same number where filters differ in their place alone; None where nobody asks.
    """

    circuit: Any
    rates: Callable[[np.ndarray, np.random.Generator], np.ndarray]
    first: np.ndarray
    second: np.ndarray
    anatomy: xr.Dataset
    alike: np.ndarray | None = None

    @classmethod
    def placed(
        cls,
        circuit: Any,
        rates: Callable[[np.ndarray, np.random.Generator], np.ndarray],
        filters: tuple[np.ndarray, np.ndarray],
        rng: np.random.Generator,
        alike: np.ndarray | None = None,
    ) -> VisualSubject:
        """Cells anywhere in the tissue: rodents have no map of orientations."""
        place = rng.uniform(0, TISSUE, (len(filters[0]), 3))
        return cls(circuit, rates, *filters, anatomy(place, ["E"] * len(place)), alike)

    @classmethod
    def responding(
        cls,
        circuit: Any,
        filters: tuple[np.ndarray, np.ndarray],
        response: Callable[[np.ndarray], np.ndarray],
        rng: np.random.Generator,
        alike: np.ndarray | None = None,
    ) -> VisualSubject:
        """Cells that fire at r_i (spontaneous + (1 - spontaneous) response), r_i log-normal about the mean rate.

        response: frames (trial, frame, pixel) -> (trial, frame, cell), of mean 1.
        """
        mean = circuit.mean_rate * rng.lognormal(0.0, circuit.rate_spread, len(filters[0]))

        def rates(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            return np.asarray(mean * (circuit.spontaneous + (1 - circuit.spontaneous) * response(frames)))

        return cls.placed(circuit, rates, filters, rng, alike)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Frames without a pause, as many as a trial has room for."""
        look = self.circuit.look
        number = max(int(np.ceil(duration / look.frame - 1e-9)), 1)
        values = shown((trials, number), look.side, look.frames, rng)
        names = tuple(f"row {k // look.side}, column {k % look.side}" for k in range(look.side**2))
        return Session(trials, duration, Stimulus(names, values, look.frame))

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with spikes and the frames. Raises SimlabError for a session without frames."""
        from simlab.simulators.given_rates import spikes

        frames = self._seen(session)
        fired = spikes(session, self.rates(frames, rng), session.stimulus.interval, rng)  # type: ignore[union-attr]
        return activity(session, len(self.first), spikes=fired).assign_attrs(engine=f"numpy {np.__version__}")

    def _seen(self, session: Session) -> np.ndarray:
        """(trial, frame, pixel)."""
        from simlab.contracts import SimlabError

        look, stimulus = self.circuit.look, session.stimulus
        if stimulus is None or stimulus.values.shape[2] != look.side**2:
            wrong = "nothing" if stimulus is None else f"{stimulus.values.shape[2]} features"
            raise SimlabError(f"{self.circuit.name} looks at frames of {look.side**2} pixels, got {wrong}: show some")
        return np.asarray(np.nan_to_num(stimulus.values))

    def expected(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the rates at which cells fire in a session, where this animal serves as a model."""
        frames = self._seen(session)
        time = np.arange(frames.shape[1]) * session.stimulus.interval  # type: ignore[union-attr]
        return activity(session, len(self.first), rate=self.rates(frames, rng), time=time)

    def _unseen(self, rng: np.random.Generator) -> xr.Dataset:
        """Frames that no session has shown, and the rates at which cells fire in each."""
        look = self.circuit.look
        frames = shown((1, N_UNSEEN), look.side, look.frames, rng)
        rates = self.rates(frames, rng)[0]
        told = {"unseen": (("presentation", "feature"), frames[0]), "rate": (("presentation", "neuron"), rates)}
        return xr.Dataset(told | {"interval": look.frame}, {"neuron": np.arange(rates.shape[1])})

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`receptive_field`: the filters in the equations; `connectivity`: none; `assemblies`: who shares a filter;
        `prediction`: the rates of frames drawn anew."""
        answers = {
            "prediction": lambda: self._unseen(rng),
            "receptive_field": lambda: truths.filters(self.first, self.second, (self.circuit.look.side,) * 2),
            "connectivity": lambda: truths.no_wiring(len(self.first)),
        }
        if self.alike is not None:
            answers["assemblies"] = lambda: truths.per_neuron(group=self.alike)
        return truths.among(self.circuit.name, question, answers)


@dataclass(frozen=True)
class Look:
    """What is shown: frames of `side` x `side` pixels."""

    side: Side = 8
    frame: FrameTime = 1 / 30  # s, each is shown
    frames: Frames = "white"
