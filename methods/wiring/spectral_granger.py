"""Spectral Granger causality: at which frequencies one unit's past predicts another, without a model of some order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.wiring._pairs import abstention, edges
from methods.wiring._surrogates import Null, studentised_p, surrogate
from simlab.contracts import Finding, Needs
from simlab.data import durations, signals
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Level, Width

MAX_ITERATIONS, TOLERANCE = 60, 1e-5
RIDGE = 1e-6
"""Share of a unit's mean power that is added at all frequencies, so that a spectrum with a hole has a factor."""


@dataclass(frozen=True)
class SpectralGranger:
    """Pairwise spectral Granger causality (Geweke 1982, J Am Stat Assoc 77:304), without autoregression (Dhamala,
    Rangarajan & Ding 2008, NeuroImage 41:354).

        f_j->i(w) = ln S_ii(w) / (S_ii(w) - (V_jj - V_ij^2 / V_ii) |H_ij(w)|^2),   S = H V H*

    with S the multitaper spectrum of two units over segments of all trials and H, V its minimum-phase factor by
    Wilson's algorithm (1972, SIAM J Appl Math 23:420). A pair is graded by the mean of f over `band`, which over all
    frequencies is Granger's measure in time, and tested against the same of recordings whose trials are exchanged unit
    by unit, each pair in its own mean and spread. Its sign is that of H_ij at the lowest frequency. Pairs are seen
    alone: what a third unit sends to both is held for a connection (`granger_causality` conditions on all units).

    Of 25 recordings of 20 independent units, Poisson, bursty, irregular (CV 1.5), drifting or mixed, none had an edge.
    Cost: (1 + surrogates) x iterations x pairs x frequencies x 2 x 2 products.
    """

    name: ClassVar[str] = "spectral_granger"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "autoregression"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=2)

    alpha: Level = 0.05
    """False discovery rate of decided edges (Benjamini & Hochberg 1995)."""
    bin_width: Width = 0.005
    """Bins of the spike counts [s], as for Granger causality; ignored for continuous signals."""
    segment: Width = 0.5
    """Length of the segments [s] that spectra are averaged over: frequencies 1 / segment apart."""
    band: tuple[Annotated[float, Within(0, 1e5, "Hz")], Annotated[float, Within(0, 1e5, "Hz")]] = (0.0, 1e5)
    """Lowest and highest frequency [Hz] that count; those beyond half of the sampling rate do not exist."""
    bandwidth: Annotated[float, Within(1, 50)] = 3.0
    """Half bandwidth of the tapers x segment (Thomson 1982); 2 bandwidth - 1 tapers are used."""
    null: Null = "trials"
    """How surrogates are made; of a single trial, by `shift`."""
    reach: Width = 0.5
    """How far a unit is shifted there [s]."""
    surrogates: Annotated[int, Within(3, 100_000)] = 20
    """Copies of the recording."""

    def __post_init__(self) -> None:
        check_fields(self)
        require(self.band[0] < self.band[1], f"band must be (lowest, highest) [Hz], got {self.band}: lower one first")
        require(self.null != "jitter", f"null must be trials or shift, got {self.null!r}: jitter is for spikes alone")

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Graded, decided and signed edges (pre, post); works on any signal."""
        if reason := abstention(recording, self.needs, self.bin_width):
            return Finding.abstain(reason)
        trace = signals(recording, self.bin_width).values.astype(float)
        if not np.isfinite(trace).all():
            return Finding.abstain("the signals hold values that are not finite: drop or fill those samples")
        live = np.flatnonzero(np.ptp(trace, axis=(0, 1)) > 0)
        length = min(trace.shape[1], round(self.segment * trace.shape[1] / float(recording.attrs["duration"])))
        if live.size < 2 or length < 8:
            return Finding.abstain(f"segments of {length} samples of {live.size} changing units are too short")
        frequency = np.fft.rfftfreq(length, float(recording.attrs["duration"]) / trace.shape[1])
        inside = (frequency >= self.band[0]) & (frequency <= self.band[1])
        if not inside.any():
            return Finding.abstain(f"no frequency lies in {self.band} Hz: widen band")
        return self._tested(recording, live, length, inside, rng)

    def _tested(
        self, recording: xr.Dataset, live: np.ndarray, length: int, inside: np.ndarray, rng: np.random.Generator
    ) -> Finding:
        single = recording.sizes["trial"] < 4 or np.ptp(durations(recording)) > 0
        null: Null = "shift" if single else self.null
        measure, sign = self._measure(recording, live, length, inside)
        copies = (surrogate(recording, null, self.reach, rng) for _ in range(self.surrogates))
        by_chance = np.stack([self._measure(copy, live, length, inside)[0] for copy in copies])
        n_units = recording.sizes["unit"]
        z, p, signs = np.zeros((n_units,) * 2), np.ones((n_units,) * 2), np.zeros((n_units,) * 2)
        everyone = np.ix_(live, live)
        z[everyone], p[everyone] = studentised_p(np.sqrt(measure), np.sqrt(by_chance))
        signs[everyone] = sign
        return edges(np.maximum(z, 0.0), p, signs, self.alpha, null=null)

    def _measure(
        self, recording: xr.Dataset, live: np.ndarray, length: int, inside: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Mean causality in the band, and sign of the transfer at the lowest frequency, both (source, target)."""
        trace = signals(recording, self.bin_width).values[:, :, live].astype(float)
        spectrum = multitaper(trace, length, self.bandwidth)
        first, second = np.triu_indices(live.size, 1)
        pairs = np.stack([first, second], axis=1)
        transfer, covariance = wilson(spectrum[pairs.T[:, None], pairs.T[None]])
        measure, sign = np.zeros((live.size,) * 2), np.zeros((live.size,) * 2)
        for source, target in ((0, 1), (1, 0)):
            spectral = causality(transfer, covariance, source, target)
            where = pairs[:, source], pairs[:, target]
            measure[where] = spectral[:, inside].mean(axis=1)
            sign[where] = np.sign(transfer[target, source, :, 0].real)
        return np.maximum(measure, 0.0), sign


def multitaper(trace: np.ndarray, length: int, bandwidth: float) -> np.ndarray:
    """Cross spectra (unit, unit, frequency), all frequencies of the Fourier transform, over half overlapping segments
    of (trial, time, unit), each less its mean."""
    from scipy.signal.windows import dpss

    tapers = dpss(length, min(bandwidth, (length - 1) / 2), max(1, int(2 * bandwidth) - 1))
    total, count = np.zeros((trace.shape[2], trace.shape[2], length), dtype=complex), 0
    trace = (trace - trace.mean(axis=(0, 1))) / np.maximum(trace.std(axis=(0, 1)), 1e-300)
    for start in range(0, trace.shape[1] - length + 1, max(1, length // 2)):
        part = trace[:, start : start + length]
        part = part - part.mean(axis=1, keepdims=True)
        for taper in tapers:
            transformed = np.fft.fft(part * taper[:, None], axis=1).transpose(1, 2, 0)  # (frequency, unit, trial)
            total += (transformed @ transformed.conj().transpose(0, 2, 1)).transpose(1, 2, 0)
            count += len(part)
    unit = np.arange(trace.shape[2])
    total[unit, unit] += RIDGE * total[unit, unit].real.mean(axis=1, keepdims=True)
    return total / max(count, 1)


def wilson(spectrum: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Minimum-phase factors of spectra (2, 2, pair, frequency): transfer H of that shape, 1 at lag zero, and noise
    covariance V (2, 2, pair)."""
    length = spectrum.shape[3]
    half = length // 2 + 1
    given = spectrum[..., :half]  # the signals are real
    root = np.linalg.cholesky(spectrum.mean(axis=3).real.transpose(2, 0, 1)).transpose(1, 2, 0)
    factor = np.repeat(root[..., None], half, axis=3).astype(complex)
    for _ in range(MAX_ITERATIONS):
        inverse = _inverse(factor)
        ratio = _product(_product(inverse, given), inverse.conj().swapaxes(0, 1))
        causal = np.fft.irfft(ratio, length, axis=3)
        causal[..., 0] = (causal[..., 0] + np.eye(2)[:, :, None]) / 2
        causal[1, 0, :, 0] = 0.0
        causal[..., half:] = 0.0
        moved = _product(factor, np.fft.rfft(causal, axis=3))
        change = np.abs(moved - factor).max() / np.abs(factor).max()
        factor = moved
        if change < TOLERANCE:
            break
    first = np.fft.irfft(factor, length, axis=3)[..., :1]
    return _product(factor, _inverse(first)), _product(first, first.swapaxes(0, 1))[..., 0]


def _product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Products of 2 x 2 matrices (2, 2, ...): far quicker over a long rest than one by one."""
    return np.stack([[left[i, 0] * right[0, j] + left[i, 1] * right[1, j] for j in (0, 1)] for i in (0, 1)])


def _inverse(matrix: np.ndarray) -> np.ndarray:
    (a, b), (c, d) = matrix
    return np.stack([[d, -b], [-c, a]]) / (a * d - b * c)


def causality(transfer: np.ndarray, covariance: np.ndarray, source: int, target: int) -> np.ndarray:
    """Geweke's spectral causality (pair, frequency) from one of two units to the other."""
    power = np.zeros(transfer.shape[2:])
    for a in (0, 1):
        for b in (0, 1):
            power += (transfer[target, a] * covariance[a, b][:, None] * transfer[target, b].conj()).real
    own = covariance[source, source] - covariance[source, target] ** 2 / covariance[target, target]
    sent = own[:, None] * np.abs(transfer[target, source]) ** 2
    return np.log(power / np.maximum(power - sent, 1e-12 * power))
