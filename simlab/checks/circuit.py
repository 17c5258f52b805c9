"""What is asked of a circuit: subjects drawn by their stream alone, valid activity, and the truths that it promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from simlab.checks.examiner import Examiner, require
from simlab.contracts import SimlabError
from simlab.data import check_activity
from simlab.registry import names
from simlab.session import Effect, Session
from simlab.streams import stream

TRUTHS: dict[str, dict[str, tuple[str, ...]]] = {
    "connectivity": {"weight": ("pre", "post")},
    "topology": {"b0": (), "b1": (), "b2": ()},
    "mechanism": {"label": ()},
}
TRIALS, DURATION = 2, 0.5


def check_circuit(examine: Examiner, circuit: Any) -> None:
    """Contract of a circuit and its subjects, and a session of two trials."""
    for field, kind in (("rivals", "circuits"), ("questions", "questions")):
        examine.holds(f"{field} are a tuple of known {kind}", lambda f=field, k=kind: _known(circuit, f, k))  # type: ignore[misc]
    subject = examine.holds("draws a subject from a stream", lambda: circuit.subject(_rng("subject")))
    if subject is None:
        return
    examine.holds("the subject's anatomy names every neuron's place and type", lambda: _anatomy(subject))
    twin = examine.holds("draws the same subject from the same stream", lambda: circuit.subject(_rng("subject")))
    for question in circuit.questions:
        examine.holds(f"tells the truth about {question}", lambda q=question: _truth(circuit, subject, q))  # type: ignore[misc]
        examine.holds(
            f"the same subject has the same truth about {question}",
            lambda q=question: _identical(subject.truth(q), twin.truth(q), "the same stream gave other truths"),  # type: ignore[misc, union-attr]
        )
    examine.holds("refuses a question that it cannot answer", lambda: _refuses(subject))
    session = examine.holds("proposes a session of its natural task", lambda: _session(subject))
    if session is not None:
        _check_runs(examine, subject, session)


def _check_runs(examine: Examiner, subject: Any, session: Session) -> None:
    activity = examine.holds("runs the session into a valid activity", lambda: _run(subject, session, "run"))
    if activity is None:
        return
    state = np.random.get_state()[1].copy()  # type: ignore[index, union-attr]  # noqa: NPY002 (compared only; an engine's first import may draw)
    examine.holds(
        "same stream, same activity",
        lambda: _identical(activity, _run(subject, session, "run"), "the same stream gave other activity"),
    )
    examine.holds(
        "another stream, other activity",
        lambda: require(
            not activity.identical(_run(subject, session, "other")),
            "another stream gave the same activity: use the rng",
        ),
    )
    for what, effect in _effects(activity.sizes["neuron"]).items():
        perturbed = session.perturbed(effect)
        examine.holds(f"takes an effect: {what}", lambda s=perturbed: _run(subject, s, "run"))  # type: ignore[misc]
    examine.holds(
        "leaves numpy's global generator alone",
        lambda: require(
            bool((np.random.get_state()[1] == state).all()),  # type: ignore[index]  # noqa: NPY002
            "the global random state changed: draw from the rng you are given",
        ),
    )


def _effects(n_neurons: int) -> dict[str, Effect]:
    """One of each sort, on the first of n neurons in the first trial."""
    first = np.arange(n_neurons) == 0
    pairs = np.where(first[:, None], 0.0, np.ones((n_neurons, n_neurons)))
    window = (0.1, 0.2, (0,))
    return {
        "a drive": Effect("drive", np.where(first, 1.0, 0.0), *window),
        "a drive that changes": Effect("drive", np.where(first, [[-1.0], [1.0]], 0.0), *window),
        "a hold": Effect("hold", np.where(first, 20.0, np.nan), *window),
        "a gain per neuron": Effect("gain", np.where(first, 0.0, 1.0), *window),
        "a gain per pair": Effect("gain", pairs, *window, over="pair"),
        "an effect that outlasts its trial": Effect("drive", np.where(first, 1.0, 0.0), 0.4, 2 * DURATION),
    }


def _rng(role: str) -> np.random.Generator:
    return stream(0, "check", role)


def _known(circuit: Any, field: str, kind: str) -> None:
    value = getattr(circuit, field, None)
    require(isinstance(value, tuple), f"{field} must be a tuple of names, got {value!r}")
    unknown = [name for name in value or () if name not in names(kind)]
    require(not unknown, f"{field} names {unknown}, but there are: {', '.join(names(kind))}")


def _anatomy(subject: Any) -> None:
    wanted = {"x", "y", "z", "cell_type", "region"}
    missing = wanted - set(subject.anatomy.data_vars)
    require(not missing, f"anatomy lacks {sorted(missing)}: build it with simlab.data.anatomy")
    require(
        set(subject.anatomy.sizes) == {"neuron"}, f"anatomy must be over neuron, got dims {dict(subject.anatomy.sizes)}"
    )


def _truth(circuit: Any, subject: Any, question: str) -> None:
    truth = subject.truth(question)
    require(isinstance(truth, xr.Dataset), f"a truth must be an xarray.Dataset, got {type(truth).__name__}")
    for name, dims in TRUTHS.get(question, {}).items():
        require(name in truth, f"the truth about {question} lacks {name!r} {dims}")
        require(truth[name].dims == dims, f"{name} must have dims {dims}, got {truth[name].dims}")
    if question == "connectivity":
        weight, n = truth["weight"].values, subject.anatomy.sizes["neuron"]
        require(
            weight.shape == (n, n), f"weight must be ({n}, {n}), one row per presynaptic neuron, got {weight.shape}"
        )
        require(bool(np.isfinite(weight).all()), "weights must be finite")
        require(not np.diag(weight).any(), "weight must have a zero diagonal: no neuron is asked about itself")
    if question == "mechanism":
        require(
            truth["label"].item() == circuit.name, f"the mechanism's label must be the circuit's name {circuit.name!r}"
        )


def _refuses(subject: Any) -> None:
    try:
        subject.truth("no such question")
    except LookupError as refusal:
        require(bool(str(refusal)), "the LookupError must list the questions that it can answer")
        return
    raise SimlabError("truth('no such question') must raise a LookupError that lists the questions it can answer")


def _session(subject: Any) -> Session:
    session = subject.session(trials=TRIALS, duration=DURATION, rng=_rng("session"))
    require(isinstance(session, Session), f"session() must return a Session, got {type(session).__name__}")
    require(
        (session.trials, session.duration) == (TRIALS, DURATION),
        f"asked for {TRIALS} trials of {DURATION} s, got {session.trials} of {session.duration} s",
    )
    return session


def _run(subject: Any, session: Session, role: str) -> xr.Dataset:
    activity = subject.run(session, _rng(role))
    check_activity(activity)
    n, trials = subject.anatomy.sizes["neuron"], session.trials
    require(
        (activity.sizes["neuron"], activity.sizes["trial"]) == (n, trials),
        f"activity must have {n} neurons and {trials} trials, got {dict(activity.sizes)}",
    )
    return activity


def _identical(one: xr.Dataset, other: xr.Dataset, message: str) -> None:
    require(one.identical(other), f"{message}: draw everything from the rng that is given")
