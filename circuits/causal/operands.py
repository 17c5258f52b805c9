"""Sessions of machines: which program each trial runs, and on which words."""

from __future__ import annotations

import numpy as np

from simlab.rules import require
from simlab.session import Session, Stimulus

FEATURES = ("input 0", "input 1")
"""Words at the two input ports."""


def drawn_session(trials: int, duration: float, n_programs: int, width: int, rng: np.random.Generator) -> Session:
    """Each program equally often, up to one trial, in random order; words of `width` bits at random."""
    program = rng.permutation(np.arange(trials) % n_programs)
    words = rng.integers(2**width, size=(trials, 1, len(FEATURES))).astype(float)
    return Session(trials, duration, Stimulus(FEATURES, words, duration), tuple(program.tolist()))


def programs_of(session: Session, n_programs: int) -> np.ndarray:
    """(trial,) number of the program, 0 where the session has no conditions; SimlabError where there is none such."""
    number = np.zeros(session.trials, int) if session.conditions is None else np.array(session.conditions)
    odd = number[(number < 0) | (number >= n_programs)]
    require(
        not odd.size,
        f"a condition must be the number of a program, 0..{n_programs - 1}, got {odd[:5].tolist()}: choose another",
    )
    return number


def operands_of(session: Session, top: int) -> np.ndarray:
    """(trial, port) words that the stimulus shows, 0 where it shows none; SimlabError for what no port can hold."""
    if session.stimulus is None:
        return np.zeros((session.trials, len(FEATURES)), int)
    require(
        session.stimulus.features == FEATURES,
        f"this machine's stimulus must have the features {', '.join(FEATURES)}, "
        f"got {', '.join(session.stimulus.features)}: change a session that it proposed",
    )
    values = np.nan_to_num(session.stimulus.values)
    still = (values == values[:, :1]).all()
    require(bool(still), "a machine's operands must stay the same within a trial, got some that change: show one each")
    words = values[:, 0]
    odd = words[(words < 0) | (words >= top) | (words != np.round(words))]
    require(not odd.size, f"operands must be whole numbers 0..{top - 1}, got {odd[:5].tolist()}: fit them to the port")
    return words.astype(int)
