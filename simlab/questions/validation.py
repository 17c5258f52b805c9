"""The shape of a finding, checked against its question's form before it is scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simlab.contracts import Finding, SimlabError
from simlab.registry import get

OPTIONAL = ("probability", "sign")
"""Variables of a form that a finding may leave out: it then says nothing about them."""


def _require(rule: Any, message: str) -> None:
    if not rule:
        raise SimlabError(message)


def validate(finding: Any, question: str, n_units: int, candidates: Sequence[str] | None = None) -> Finding:
    """The finding with its estimate as plain numpy arrays (labels as str) of the question's form, diagonals zero.

    n_units: of the recording; candidates: the answers that a closed question offers. Raises SimlabError, naming the
    rule, the value received and the fix, for anything but a complete, finite estimate of the right shape.
    """
    _require(
        isinstance(finding, Finding),
        f"a method must return a Finding, got {type(finding).__name__}: return simlab.Finding(estimate={{...}})",
    )
    _require(
        isinstance(finding.abstained, str),
        f"abstained must be the reason as a string, got {finding.abstained!r}: use Finding.abstain('reason')",
    )
    if finding.abstained:
        return Finding.abstain(finding.abstained)
    form = get("questions", question).form
    sizes = {"pre": n_units, "post": n_units, "unit": n_units, "condition": len(candidates or ())}
    estimate = _complete(finding.estimate, form, question)
    checked = {name: _checked(name, value, form[name], sizes, candidates) for name, value in estimate.items()}
    return Finding(checked, _confidence(finding.confidence), "", finding.notes)


def _complete(estimate: Any, form: Mapping[str, tuple[str, ...]], question: str) -> Mapping[str, Any]:
    wanted = ", ".join(f"{name} {dims}" for name, dims in form.items())
    _require(
        isinstance(estimate, Mapping),
        f"an estimate must map variables to arrays, got {type(estimate).__name__}: {question} asks for {wanted}",
    )
    missing = [name for name in form if name not in estimate and name not in OPTIONAL]
    _require(not missing, f"the estimate lacks {', '.join(missing)}: {question} asks for {wanted}")
    strangers = [str(name) for name in estimate if name not in form]
    _require(
        not strangers,
        f"the estimate has {', '.join(strangers)}, but {question} asks for {wanted}: put extras into Finding.notes",
    )
    return {name: value for name, value in estimate.items() if value is not None or name not in OPTIONAL}


def _checked(
    name: str, value: Any, dims: tuple[str, ...], sizes: Mapping[str, int], candidates: Sequence[str] | None
) -> Any:
    if name == "label":
        return _label(value, candidates)
    array = _numbers(name, value, dims, sizes)
    if name in ("b0", "b1", "b2", "sign"):
        _require(
            bool((array == np.round(array)).all()), f"{name} must hold whole numbers, got {_sample(array)}: round it"
        )
        array = array.astype(np.int64)
    if name == "decided":
        _require(bool(np.isin(array, (0, 1)).all()), f"decided must be True or False, got {_sample(array)}")
        return array.astype(bool)
    if name == "sign":
        _require(bool((np.abs(array) <= 1).all()), f"sign must be -1, 0 or 1, got {_sample(array)}: use np.sign")
    if name in ("b0", "b1", "b2"):
        _require(array >= 0, f"a Betti number must be >= 0, got {name}={array}")
        return int(array)
    if name == "probability":
        total = float(array.sum())
        proper = bool((array >= 0).all()) and abs(total - 1.0) < 1e-6
        _require(proper, f"probability must be >= 0 and sum to 1 over the candidates, got {array.tolist()}")
    return array


def _numbers(name: str, value: Any, dims: tuple[str, ...], sizes: Mapping[str, int]) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise SimlabError(f"{name} must be one array with dims {dims}, got a ragged one ({error})") from error
    shape = tuple(sizes[dim] for dim in dims)
    _require(
        array.dtype.kind in "biuf",
        f"{name} must hold numbers, got {type(value).__name__} of dtype {array.dtype}: give an array of numbers",
    )
    _require(
        array.shape == shape,
        f"{name} must have dims {dims} = shape {shape}, one entry per recorded unit or candidate, got {array.shape}",
    )
    if dims == ("pre", "post") and array.dtype.kind == "f":
        array = np.where(np.eye(len(array), dtype=bool), 0.0, array)  # nobody asks whether a unit connects to itself
    broken = array.size - int(np.isfinite(array).sum())
    _require(broken == 0, f"{name} must be finite, got {broken} NaN or infinite of {array.size}: abstain or fill them")
    return array if array.dtype.kind == "b" else array.astype(float)


def _label(value: Any, candidates: Sequence[str] | None) -> str:
    plain = value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value
    _require(isinstance(plain, str), f"label must be a string, got {type(value).__name__}: name one of the candidates")
    _require(
        candidates is None or plain in candidates,
        f"label must be one of the candidates {', '.join(candidates or ())}, got {plain!r}: abstain if none fits",
    )
    return str(plain)


def _confidence(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value) if np.ndim(value) == 0 and np.asarray(value).dtype.kind in "iuf" else float("nan")
    _require(0.0 <= number <= 1.0, f"confidence must be a probability in [0, 1] or None, got {value!r}")
    return number


def _sample(array: np.ndarray) -> str:
    return ", ".join(f"{v:g}" for v in np.unique(array)[:5])
