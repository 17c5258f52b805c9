"""The form that all questions share: declared variables, and the one validator of answers and truths.

A finding is checked against its question's `form` before it is scored, a truth against its `truth_form`. Nothing here
knows a variable by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.contracts import Finding, SimlabError, Variable
from simlab.rules import require
from simlab.text import label, line, plain_notes, shown, type_name

if TYPE_CHECKING:
    import xarray as xr

BaselineAnswer = Callable[["xr.Dataset", "xr.Dataset", np.random.Generator], Finding]
"""Projected truth, recording and random stream in, finding out: a stand-in that may see the truth."""

MOST_VARIABLES = 100
"""So many variables of an estimate are looked at for ones that were not asked for."""

MEASURED = ("unit", "trial", "time", "sample")
"""Dims whose lengths a recording gives; `pre` and `post` have that of `unit`."""

UNREADABLE = "(a reason without a readable character)"

KINDS = ("number", "whole", "flag", "label")


def sizes_of(seen: xr.Dataset) -> dict[str, int]:
    """The lengths that a recording (or what is known of a rig's units) gives to the dims of a form."""
    sizes = {dim: int(seen.sizes[dim]) for dim in MEASURED if dim in seen.sizes}
    return sizes | {dim: sizes["unit"] for dim in ("pre", "post") if "unit" in sizes}


def validate(finding: Any, question: Any, sizes: Mapping[Any, int], brief: Mapping[str, Any] | None = None) -> Finding:
    """The finding with its estimate as plain arrays (a label without dims as str) of the question's form.

    Reason, labels and notes come out clean and cut (`simlab.text`).
    question: the Question. sizes: the lengths of the dims that are known (`sizes_of`). brief: what the question told
    the method. The diagonal of a (pre, post) matrix is set to zero. Raises SimlabError, naming the rule, the value
    received and the fix, for anything but a complete, finite estimate of the right shape.
    """
    require(
        isinstance(finding, Finding),
        f"a method must return a Finding, got {type_name(finding)}: return simlab.Finding(estimate={{...}})",
    )
    require(
        isinstance(finding.abstained, str),
        f"abstained must be the reason as a string, got {shown(finding.abstained)}: use Finding.abstain('reason')",
    )
    if finding.abstained:
        return Finding.abstain(line(finding.abstained) or UNREADABLE)
    estimate = checked(finding.estimate, question.form, question.name, sizes, brief or {})
    return Finding(estimate, _confidence(finding.confidence), "", plain_notes(finding.notes))


def checked(
    estimate: Any, form: Mapping[str, Variable], asker: str, sizes: Mapping[Any, int], brief: Mapping[str, Any]
) -> dict[str, Any]:
    """The variables of an estimate as arrays of the form; `asker` names the question in errors."""
    _complete(estimate, form, asker)
    lengths = dict(sizes)
    return {
        name: _value(name, estimate[name], variable, lengths, brief)
        for name, variable in form.items()
        if estimate.get(name) is not None
    }


def check_truth(truth: Any, question: Any) -> None:
    """Raises SimlabError unless a subject's truth has the variables, dims and kinds that the question declares."""
    import xarray as xr

    require(
        isinstance(truth, xr.Dataset),
        f"the truth about {question.name} must be an xarray.Dataset, got {type(truth).__name__}: see simlab.truths",
    )
    for name, variable in question.truth_form.items():
        if name not in truth:
            require(variable.optional, f"the truth about {question.name} lacks {name!r} {variable.dims}: add it")
            continue
        dims = tuple(map(str, truth[name].dims))
        require(
            sorted(dims) == sorted(variable.dims),
            f"{name} of the truth about {question.name} must have dims {variable.dims}, got {dims}: rename them",
        )
        _value(name, truth[name].transpose(*variable.dims).values, variable, dict(truth.sizes), {}, open_choices=True)


def check_key(key: xr.DataArray, truth: xr.Dataset) -> None:
    """Raises SimlabError unless key and truth are over equally many neurons."""
    require(
        key.sizes["neuron"] == truth.sizes["neuron"],
        f"the key's {key.sizes['neuron']} neurons must be the truth's, who are {truth.sizes['neuron']}: "
        "build both from one subject",
    )


def fixed_sizes(truth: xr.Dataset) -> dict[str, int]:
    """The lengths that a projected truth fixes: those of recorded dims, never of free ones such as `factor`."""
    return {str(dim): length for dim, length in truth.sizes.items() if dim in (*MEASURED, "pre", "post")}


def answer(finding: Finding, question: Any, truth: xr.Dataset) -> dict[str, Any]:
    """The validated estimate of a finding that is to be scored against a projected truth."""
    return dict(validate(finding, question, fixed_sizes(truth), truth.attrs.get("brief")).estimate)


def pairs(n: int) -> np.ndarray:
    """The ordered pairs of n units that are asked about: True off the diagonal of (pre, post)."""
    return ~np.eye(n, dtype=bool)


def undefined(metrics: Iterable[str]) -> dict[str, float]:
    """NaN for each metric: what an abstention scores."""
    return dict.fromkeys(metrics, float("nan"))


def words(form: Mapping[str, Variable]) -> str:
    """A form in words: `score (pre, post), decided (pre, post) flag, sign (pre, post) whole, optional`."""
    return ", ".join(
        f"{name} ({', '.join(v.dims)}){'' if v.kind == 'number' else ' ' + v.kind}{' [optional]' if v.optional else ''}"
        for name, v in form.items()
    )


def _complete(estimate: Any, form: Mapping[str, Variable], asker: str) -> None:
    wanted = words(form)
    require(
        isinstance(estimate, Mapping),
        f"an estimate must map variables to arrays, got {type_name(estimate)}: {asker} asks for {wanted}",
    )
    missing = [name for name, v in form.items() if name not in estimate and not v.optional]
    require(not missing, f"the estimate lacks {', '.join(missing)}: {asker} asks for {wanted}")
    strangers = [label(name) for name in islice(estimate, MOST_VARIABLES) if name not in form]
    require(
        not strangers,
        f"the estimate has {', '.join(strangers)}, but {asker} asks for {wanted}: put extras into Finding.notes",
    )


def _value(
    name: str,
    value: Any,
    variable: Variable,
    lengths: dict[Any, int],
    brief: Mapping[str, Any],
    open_choices: bool = False,
) -> Any:
    """One variable, checked; dims that were free get their length in `lengths`."""
    array = _labels(name, value) if variable.kind == "label" else _numbers(name, value, variable)
    _shape(name, array, variable, lengths, brief)
    choices = _choices(variable, brief)
    if choices and not open_choices:
        strange = [v for v in dict.fromkeys(array.ravel().tolist()) if v not in choices]
        require(
            not strange,
            f"{name} must be one of {', '.join(map(str, choices))}, got {_sample(strange)}: abstain if none fits",
        )
    if variable.kind == "label":
        if not choices:  # of the method's own making: clean and short, and apart unless they look the same
            array = _each(label, array)
        return str(array.item()) if array.ndim == 0 else array
    return _bounded(name, array, variable)


def _choices(variable: Variable, brief: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(brief.get(variable.choices, ())) if isinstance(variable.choices, str) else variable.choices


def _shape(name: str, array: np.ndarray, variable: Variable, lengths: dict[Any, int], brief: Mapping[str, Any]) -> None:
    dims = variable.dims
    require(
        array.ndim == len(dims),
        f"{name} must have dims ({', '.join(dims)}), got an array of shape {array.shape}: give one axis for each dim",
    )
    for dim, length in zip(dims, array.shape, strict=True):
        members = brief.get(f"{dim}s")
        known = len(members) if isinstance(members, tuple | list) else lengths.setdefault(dim, length)
        require(
            length == known,
            f"{name} must have dims ({', '.join(dims)}) with {known} along {dim}, got shape {array.shape}: "
            "give one entry for each",
        )


def _numbers(name: str, value: Any, variable: Variable) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise SimlabError(f"{name} must be one array with dims {variable.dims}, got a ragged one ({error})") from error
    require(
        array.dtype.kind in "biuf",
        f"{name} must hold numbers, got {type_name(value)} of dtype {array.dtype}: give an array of numbers",
    )
    if variable.dims == ("pre", "post") and array.dtype.kind == "f" and array.ndim == 2 and len(set(array.shape)) == 1:
        array = np.where(np.eye(len(array), dtype=bool), 0.0, array)  # nobody asks whether a unit connects to itself
    broken = array.size - int(np.isfinite(array).sum())
    require(broken == 0, f"{name} must be finite, got {broken} NaN or infinite of {array.size}: abstain or fill them")
    return array


def _bounded(name: str, array: np.ndarray, variable: Variable) -> Any:
    if variable.kind == "flag":
        require(bool(np.isin(array, (0, 1)).all()), f"{name} must be True or False, got {_sample(array)}")
        return array.astype(bool)
    if variable.kind == "whole":
        whole = bool((array == np.round(array)).all())
        require(whole, f"{name} must hold whole numbers, got {_sample(array)}: round it")
    inside = bool((array >= variable.low).all() and (array <= variable.high).all())
    require(inside, f"{name} must lie in {variable.low:g}..{variable.high:g}, got {_sample(array)}")
    return array.astype(np.int64) if variable.kind == "whole" else array.astype(float)


def _labels(name: str, value: Any) -> np.ndarray:
    array = np.asarray(value, dtype=object)
    strange = [v for v in array.ravel().tolist() if not isinstance(v, str)]
    require(not strange, f"{name} must be text, got {type_name(strange[0]) if strange else ''}: name it by a string")
    return _each(str.__str__, array)  # plain text, of a subclass too


def _each(change: Callable[[str], str], labels: np.ndarray) -> np.ndarray:
    changed = np.empty(labels.shape, dtype=object)
    changed.ravel()[:] = [change(v) for v in labels.ravel().tolist()]
    return changed


def _confidence(value: Any) -> float | None:
    if value is None:
        return None
    try:
        stated = np.asarray(value)
    except ValueError:  # lists of unequal lengths
        stated = np.array("")
    number = float(stated) if stated.ndim == 0 and stated.dtype.kind in "iuf" else float("nan")
    require(0.0 <= number <= 1.0, f"confidence must be a probability in [0, 1] or None, got {shown(value)}")
    return number


def _sample(values: Any) -> str:
    if isinstance(values, np.ndarray):
        return ", ".join(f"{v:g}" for v in np.unique(values)[:5])
    return ", ".join(map(shown, values[:5]))
