"""Whatever a method asks is answered: by what it asked for, or by the rule that it broke."""

from __future__ import annotations

import json
import os
import random
import resource
import stat
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from toys import ToyChain

from simlab.contracts import Budget, Finding, HouseFault, SimlabError
from simlab.data import bare
from simlab.execution.strict.dialogue import LONGEST_REQUEST, MOST_LISTS, Dialogue, longest_line, parsed
from simlab.execution.strict.seal import unseal
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab.rig import Setup, known_of_units, mounted
from simlab.questions.form import validate
from simlab.questions.topology import Topology

N = 6
NATURAL = {"trials": 2, "duration": 0.1, "stimulus": None, "conditions": None, "perturbations": []}
PULSE = {"kind": "stimulate", "targets": [1], "strength": 2.0, "start": 0.02, "stop": 0.03, "trials": [0]}


@contextmanager
def dialogue_in(folder: Path, budget: Budget = Budget(10**6, 10**6, 10**6), propose=None):  # noqa: B008 (frozen)
    """A dialogue with the toy chain's rig, and what reached the subject: sessions proposed and run."""
    rng = np.random.default_rng(0)
    subject = ToyChain().subject(rng)
    implant = Perfect().implant(subject.anatomy, rng)
    reached = []

    def natural(trials, duration):
        reached.append(trials)
        return subject.session(trials=trials, duration=duration, rng=rng)

    def run(session):
        reached.append(session)
        return bare(implant.record(subject.run(session, rng), rng))

    setup = Setup(propose or natural, run, Ideal().install(subject.anatomy, implant.key, rng), N, ("cortex",))
    with mounted(setup, known_of_units(N, {"unit_x": np.zeros(N)}), budget, {}) as rig:
        yield Dialogue(rig, folder), reached


def test_a_request_is_answered_and_spent(tmp_path):
    with dialogue_in(tmp_path, Budget(5, 9.0, 3)) as (dialogue, _):
        natural = dialogue.reply({"do": "session", "trials": 2, "duration": 0.1})
        assert natural["remaining"] == {"trials": 5.0, "seconds": 9.0, "perturbations": 3.0, "interventions": None}
        changed = natural["session"] | {"perturbations": [PULSE]}
        reply = dialogue.reply({"do": "record", "session": changed})
        assert reply["remaining"] == {"trials": 3.0, "seconds": 8.8, "perturbations": 2.0, "interventions": None}
        assert unseal(reply["recording"]).sizes["trial"] == 2


def test_a_recording_lies_under_a_new_name_and_replaces_the_one_before(tmp_path):
    with dialogue_in(tmp_path) as (dialogue, _):
        first, second = (Path(dialogue.reply({"do": "record", "session": NATURAL})["recording"]) for _ in range(2))
    assert len(first.stem) == len(second.stem) == 32
    assert first != second
    assert list(tmp_path.iterdir()) == [second]
    assert second.is_absolute()
    assert stat.S_IMODE(second.stat().st_mode) == 0o400


def test_a_link_or_a_pipe_under_the_name_of_a_recording_is_neither_followed_nor_opened(tmp_path, monkeypatch):
    """Even for a method that guessed the name."""
    (tmp_path / "run.json").write_text("precious")
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    monkeypatch.setattr("secrets.token_hex", lambda *_: "guessed")
    for plant in (lambda at: at.symlink_to(tmp_path / "run.json"), os.mkfifo):
        plant(inbox / "guessed.sealed")
        with dialogue_in(inbox) as (dialogue, _), pytest.raises(HouseFault, match="File exists"):
            dialogue.reply({"do": "record", "session": NATURAL})
        (inbox / "guessed.sealed").unlink()
    assert (tmp_path / "run.json").read_text() == "precious"


HUGE = "9" * 400
JUNK = (
    None, True, False, 0, 1, -1, 2, 2.5, -0.0, 1e-300, 1e308, 10**30, 10**400, float("nan"), float("inf"),
    float("-inf"),
    "", "x", "1", "\ud800", "\u202e\u0000", "zap", "stimulate", "silence", "clamp", "cut", "cool", "lesion", "edit",
    "tectum", "region 0", HUGE, [],
    {}, [[]], [None], [1, 2], [0, 0], [-1], [1.5], ["a"], [True], {"a": 1}, {"": {}}, [[[0.1]]], [[[0.1], [0.2]]],
    [[[1], [1, 2]]], [PULSE], [PULSE, PULSE], [{}], PULSE, NATURAL, {"kind": "cut"}, list(range(100)),
    {"features": ["angle"], "values": [[[0.1]], [[0.2]]], "interval": 0.1},
    {"features": "angle", "values": [[[0.1]], [[None]]], "interval": 0.1},
    {"features": ["a", "a"], "values": [], "interval": -1},
    {"features": ["angle"], "values": "no", "interval": None},
    {"kind": "drive", "values": [1.0] * N, "start": 0.0, "stop": 0.1},
    {"kind": "gain", "values": [[1.0] * N] * N, "start": 0.0, "stop": 0.1, "over": "pair"},
    json.loads("[" * 400 + "]" * 400),
)  # fmt: skip
NAMES = (
    "do", "session", "trials", "duration", "stimulus", "conditions", "perturbations", "kind", "targets", "strength",
    "start", "stop", "region", "onto", "over", "values", "features", "interval", "nonsense", "__class__",
)  # fmt: skip


def junk_request(rng: random.Random) -> dict:
    """A request of which something, somewhere, was replaced, removed, added, or is junk altogether."""
    pulse = dict(PULSE)
    session = dict(NATURAL, perturbations=[pulse] * rng.choice((0, 1, 2)))
    request = rng.choice(
        (
            {"do": "record", "session": session},
            {"do": "session", "trials": 2, "duration": 0.1},
            {rng.choice(NAMES): rng.choice(JUNK) for _ in range(rng.randrange(4))},
        )
    )
    for _ in range(rng.choice((1, 1, 2, 4))):
        part = rng.choice((request, session, session, pulse, pulse, pulse))
        if part and rng.random() < 0.15:
            del part[rng.choice(list(part))]
        else:
            names = list(part) if part and rng.random() < 0.8 else NAMES
            part[rng.choice(names)] = rng.choice(JUNK)
    return request


def test_1500_junk_requests_are_all_answered(tmp_path):
    """Through JSON, as they would arrive; many a request is refused, some turn out to be possible, none is an end."""
    refused = 0
    for first in range(0, 1500, 50):
        with dialogue_in(tmp_path, Budget(10**6, 10**4, 10**6)) as (dialogue, _):  # refused for junk, not for poverty
            for seed in range(first, first + 50):
                request = junk_request(random.Random(seed))
                reply = dialogue.reply(parsed(json.dumps(request).encode()))
                json.dumps(reply, allow_nan=False)
                if "error" in reply:
                    refused += 1
                    assert reply["error"] in ("SimlabError", "BudgetExceeded"), request
                    assert len(reply["message"]) < 1000, request
    assert 1000 < refused < 1450


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"trials": []}, "at least one trial"),
        ({"trials": [0, 0]}, "each once"),
        ({"trials": [2]}, "must lie in 0..1"),
        ({"trials": "01"}, "must be a list"),
        ({"targets": [N]}, "units of the implant"),
        ({"targets": [-1]}, "units of the implant"),
        ({"targets": [1.0]}, "whole number"),
        ({"targets": [True]}, "whole number"),
        ({"targets": []}, "at least one target"),
        ({"targets": [], "region": "tectum"}, "one of the subject's"),
        ({"targets": [], "region": "cortex"}, "one of the subject's, region 0, got 'cortex'"),
        ({"kind": "edit", "onto": [N]}, "onto must be units of the implant"),
        ({"kind": "edit", "onto": [1.5]}, "whole number"),
        ({"onto": [2]}, "only cut and edit"),
        ({"kind": "cool", "strength": 40}, "at most"),
        ({"kind": "lesion", "strength": 1}, "permanent"),
        ({"kind": "lesion", "strength": 1, "start": 0, "trials": None}, "stop at the trial's end"),
        ({"targets": [10**400]}, "whole number"),
        ({"kind": "zap"}, "kind must be one of"),
        ({"kind": ["stimulate"]}, "kind must be one of"),
        ({"strength": float("nan")}, "finite"),
        ({"strength": 1e300}, "at most"),
        ({"strength": None}, "finite"),
        ({"start": -0.01}, "start < stop"),
        ({"start": 0.03, "stop": 0.02}, "start < stop"),
        ({"stop": 0.2}, "end within the trial"),
        ({"start": "0"}, "finite number"),
        ({"frequency": 5}, "no field"),
    ],
)
def test_a_pulse_that_cannot_be_is_answered_with_its_rule(tmp_path, change, rule):
    with dialogue_in(tmp_path, Budget(100, 100.0, 100)) as (dialogue, reached):
        session = NATURAL | {"perturbations": [PULSE | change]}
        reply = dialogue.reply(json.loads(json.dumps({"do": "record", "session": session})))
        assert reply["error"] == "SimlabError"
        assert rule in reply["message"]
        untouched = dialogue.reply({"do": "session", "trials": 1, "duration": 0.1})["remaining"]
    assert untouched == {"trials": 100.0, "seconds": 100.0, "perturbations": 100.0, "interventions": None}
    assert [r for r in reached if not isinstance(r, int)] == []


@pytest.mark.parametrize("budget", [Budget(100, 100.0, 100), Budget()])
@pytest.mark.parametrize(
    "ask",
    [
        {"do": "session", "trials": 300_000_000, "duration": 0.1},
        {"do": "session", "trials": 1, "duration": 1e9},
        {"do": "session", "trials": 50_000, "duration": 50_000.0},
        {"do": "record", "session": NATURAL | {"trials": 300_000_000}},
        {"do": "record", "session": NATURAL | {"duration": 1e9}},
    ],
)
def test_what_no_budget_buys_is_refused_before_anything_is_proposed(tmp_path, budget, ask):
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with dialogue_in(tmp_path, budget) as (dialogue, reached):
        reply = dialogue.reply(ask)
    assert reply["error"] == ("SimlabError" if budget == Budget() else "BudgetExceeded")
    assert reached == []
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held < 100_000  # KiB


def test_a_stimulus_finer_than_the_lab_s_clock_is_refused(tmp_path):
    stimulus = {"features": ["angle"], "values": [[[0.1]] * 1000] * 2, "interval": 1e-9}
    with dialogue_in(tmp_path) as (dialogue, reached):
        reply = dialogue.reply({"do": "record", "session": NATURAL | {"stimulus": stimulus}})
    assert reply["error"] == "SimlabError"
    assert "interval" in reply["message"]
    assert reached == []


def test_a_passive_method_may_only_answer(tmp_path):
    from simlab.checks.problem import spiking_recording

    dialogue = Dialogue(spiking_recording(2, 1.0), tmp_path)
    assert "finding or error, got 'record'" in dialogue.reply({"do": "record", "session": NATURAL})["message"]


def test_the_lab_s_own_fault_is_no_refusal(tmp_path):
    def faulty(trials, duration):
        raise ZeroDivisionError("a circuit's own mistake")

    with dialogue_in(tmp_path, propose=faulty) as (dialogue, _), pytest.raises(ZeroDivisionError):
        dialogue.reply({"do": "session", "trials": 1, "duration": 0.1})


def test_natural_sessions_are_given_out_ten_thousand_times(tmp_path, monkeypatch):
    monkeypatch.setattr("simlab.execution.strict.dialogue.MOST_PROPOSALS", 3)
    with dialogue_in(tmp_path) as (dialogue, _):
        replies = [dialogue.reply({"do": "session", "trials": 1, "duration": 0.1}) for _ in range(4)]
    assert ["error" in reply for reply in replies] == [False, False, False, True]


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b"",
        b"[1, 2]",
        b"7",
        b"\xff\xfe",
        b'{"do": ' + b"1" * 5000 + b"}",
        b"[" * 10**5,
        b'{"a":' * 901 + b"1" + b"}" * 901,
        b'{"do": "record", "session": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
    ],
)
def test_a_line_that_is_no_object_is_told_apart(line):
    with pytest.raises(ValueError, match=r"every line must be a JSON object"):
        parsed(line)


def test_a_line_of_five_hundred_levels_is_read():
    assert parsed(b'{"a":' * 500 + b"1" + b"}" * 500).keys() == {"a"}


@pytest.mark.parametrize("confidence", [[[[1], [1, 2]]], json.loads("[" * 100 + "]" * 100), "1", 10**400, {}])
def test_a_confidence_that_is_no_number_is_the_method_s_mistake(confidence):
    with pytest.raises(SimlabError, match="confidence must be a probability"):
        validate(Finding({"b0": 1, "b1": 0, "b2": 0}, confidence), Topology(), {"unit": 2})


def test_a_line_of_empty_lists_is_refused_before_it_fills_the_memory():
    with pytest.raises(ValueError, match="lists and objects"):
        parsed(b'{"a": [' + b"[]," * MOST_LISTS + b"[]]}")


def test_a_line_may_be_as_long_as_the_answers_that_are_asked_for():
    n = 2000
    row = b"[" + b", ".join([b"-1.2345678901234567e-05"] * n) + b"]"
    three = 3 * (len(row) + 2) * n  # score, decided and sign of every pair, at their longest
    assert longest_line(n, active=True) > LONGEST_REQUEST + three - 16 * 2**20
    assert longest_line(n, active=True) > three
    assert longest_line(10, active=False) > longest_line(10, active=True)
