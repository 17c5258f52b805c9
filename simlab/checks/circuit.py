"""What is asked of a circuit: subjects drawn by their stream alone, valid activity, and the truths that it promises."""

from __future__ import annotations

from time import process_time
from typing import Any

import numpy as np
import xarray as xr

from simlab.checks.examiner import Examiner, require
from simlab.contracts import CONNECTOME, SimlabError
from simlab.data import check_activity, check_contacts, is_spiking
from simlab.families import implausible
from simlab.questions.form import check_truth
from simlab.registry import create, names, question
from simlab.session import Effect, Session
from simlab.streams import stream

TRIALS, DURATION = 2, 0.5
DEAR = 2.0
"""Processor time [s] from which a truth is told once: that it comes again is then left to those that cost less."""


def check_circuit(examine: Examiner, circuit: Any) -> None:
    """Contract of a circuit and its subjects, and a session of two trials."""
    examine.holds("names its mechanism, which is not its own name", lambda: _mechanism(circuit))
    examine.holds("questions are a tuple of known questions", lambda: _known(circuit, "questions", "questions"))
    if getattr(circuit, "twin_of", ()):
        examine.holds("imitates the circuits that it is a twin of", lambda: _imitates(circuit))
    subject = examine.holds("draws a subject from a stream", lambda: circuit.subject(_rng("subject")))
    if subject is None:
        return
    examine.holds("the subject's anatomy names every neuron's place and type", lambda: _anatomy(subject))
    twin = examine.holds("draws the same subject from the same stream", lambda: circuit.subject(_rng("subject")))
    session = examine.holds("proposes a session of its natural task", lambda: _session(subject))
    activity = None if session is None else _check_runs(examine, subject, session, getattr(circuit, "modalities", ()))
    for asked in circuit.questions:
        began = process_time()
        told = examine.holds(f"tells the truth about {asked}", lambda q=asked: _truth(subject, q, activity))  # type: ignore[misc]
        if told is not None and process_time() - began < DEAR:
            examine.holds(
                f"the same subject has the same truth about {asked}",
                lambda q=asked, told=told: _identical(  # type: ignore[misc]
                    told, _told(twin, q, activity), "the same stream gave other truths"
                ),
            )
    examine.holds("its activity stays in the regime that it states", lambda: _stays(circuit, subject))
    if callable(getattr(circuit, "prior", None)):
        examine.holds("draws parameters of a family from a stream", lambda: _draws(circuit))
    examine.holds("refuses a question that it cannot answer", lambda: _refuses(subject, activity))


def _check_runs(examine: Examiner, subject: Any, session: Session, promised: tuple[str, ...]) -> xr.Dataset | None:
    """The activity of the session, None where there is no valid one; promised: the circuit's `modalities`."""
    activity = examine.holds("runs the session into a valid activity", lambda: _run(subject, session, "run"))
    if activity is None:
        return None
    if promised:
        examine.holds("its activity holds its modalities", lambda: _holds_modalities(subject, activity, promised))
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
    return activity


def _holds_modalities(subject: Any, activity: xr.Dataset, promised: tuple[str, ...]) -> None:
    wired = "contacts" in subject.anatomy
    there = {"spikes": is_spiking(activity), "rate": "rate" in activity, CONNECTOME: wired}
    held = [what for what, is_there in there.items() if is_there]
    require(
        set(promised) == set(held), f"modalities are {promised}, but its activity holds {', '.join(held)}: state these"
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


def _stays(circuit: Any, subject: Any) -> None:
    outside = implausible(circuit, subject, _rng("session"), _rng("run"))
    if outside:
        source = circuit.regime.source
        raise SimlabError(
            f"{'; '.join(outside)} ({source}): choose parameters that keep the network alive and irregular"
        )


def _draws(circuit: Any) -> None:
    one, same, other = (circuit.prior(_rng(role)) for role in ("prior", "prior", "another prior"))
    require(type(one) is type(circuit), f"prior() must return a {type(circuit).__name__}, got {type(one).__name__}")
    require(one == same, "prior() gave other parameters from the same stream: draw everything from the rng")
    require(one != other, "prior() gave the same parameters from another stream: use the rng")


def _known(circuit: Any, field: str, kind: str) -> None:
    value = getattr(circuit, field, None)
    require(isinstance(value, tuple), f"{field} must be a tuple of names, got {value!r}")
    unknown = [name for name in value or () if name not in names(kind)]
    require(not unknown, f"{field} names {unknown}, but there are: {', '.join(names(kind))}")


def _anatomy(subject: Any) -> None:
    wanted = {"x", "y", "z", "cell_type", "region"}
    missing = wanted - set(subject.anatomy.data_vars)
    require(not missing, f"anatomy lacks {sorted(missing)}: build it with simlab.data.anatomy")
    over = {"neuron", "pre", "post"} if "contacts" in subject.anatomy else {"neuron"}
    sizes = dict(subject.anatomy.sizes)
    require(set(sizes) == over, f"anatomy must be over {' and '.join(sorted(over))}, got dims {sizes}")
    if "contacts" in subject.anatomy:
        check_contacts(subject.anatomy, "an anatomy", "neuron")


def _told(subject: Any, asked: str, activity: xr.Dataset | None) -> xr.Dataset:
    return subject.truth(asked, activity, _rng("truth"))


def _truth(subject: Any, asked: str, activity: xr.Dataset | None) -> xr.Dataset:
    truth = _told(subject, asked, activity)
    check_truth(truth, question(asked))
    n = subject.anatomy.sizes["neuron"]
    for dim in ("pre", "post", "neuron"):
        length = truth.sizes.get(dim, n)
        require(length == n, f"the truth about {asked} must have the {n} neurons along {dim}, got {length}")
    for name, variable in truth.data_vars.items():
        if set(variable.dims) == {"pre", "post"}:
            itself = np.diag(variable.values).any()
            require(not itself, f"{name} must have a zero diagonal: no neuron is asked about itself")
    return truth


def _mechanism(circuit: Any) -> None:
    mechanism = getattr(circuit, "mechanism", None)
    require(
        isinstance(mechanism, str) and bool(mechanism.strip()),
        f"a circuit needs `mechanism: ClassVar[str]`, the class of explanation that it belongs to, got {mechanism!r}",
    )
    require(
        mechanism != circuit.name,
        f"mechanism must be a class of explanation, such as 'ring attractor', got the circuit's own name {mechanism!r}",
    )


def _imitates(circuit: Any) -> None:
    _known(circuit, "twin_of", "circuits")
    for name in circuit.twin_of:
        imitation = circuit.imitating(create("circuits", name))
        require(
            type(imitation) is type(circuit),
            f"imitating() must return a {type(circuit).__name__} made to match that circuit, got {imitation!r}",
        )


def _refuses(subject: Any, activity: xr.Dataset | None) -> None:
    try:
        _told(subject, "no such question", activity)
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
