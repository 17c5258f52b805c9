"""Methods that hunt for the truth find none: through objects and seeds here, through anything at all when strict."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from spies import MOST, ActiveSpy, Spy, hashed

from simlab.contracts import Budget, SimlabError
from simlab.data import bare, recording
from simlab.execution.execute import execute
from simlab.execution.strict.jail import protections
from simlab.lab.rig import Setup, known_of_units, mounted
from simlab.session import Effect, Session
from simlab.streams import digest_int

N = 6
LIMITS = {"time_limit": 120.0, "memory_limit": 2**31}
needs_landlock = pytest.mark.skipif(protections()["landlock"] == 0, reason="this kernel has no Landlock")


@dataclass
class Secrets:
    """What a spy must not find; made afresh, so that no source file holds it."""

    seed: str
    circuit: str
    weights: np.ndarray
    neurons: np.ndarray
    regions: tuple[str, ...]

    def wanted(self) -> tuple[str, ...]:
        values = [self.seed, int(self.seed), self.circuit, *self.weights.ravel(), *self.neurons, *self.regions]
        return tuple(hashed(v.item() if isinstance(v, np.generic) else v) for v in values)


@pytest.fixture
def secret() -> Secrets:
    rng = np.random.default_rng()
    neurons = rng.integers(10**9, 10**12, N)
    regions = tuple(f"module_{i}_{secrets.token_hex(8)}" for i in range(3))
    circuit = f"circuit_{secrets.token_hex(8)}"
    return Secrets(str(secrets.randbits(100)), circuit, rng.normal(0, 1, (N, N)), neurons, regions)


@pytest.fixture
def run_folder(tmp_path: Path, secret: Secrets, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run folder as a run leaves it, an environment that names it, and an open file that children inherit."""
    folder = tmp_path / "run"
    (folder / "archive.zarr").mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"seed": secret.seed, "circuit": secret.circuit}))
    (folder / "archive.zarr" / "weight").write_bytes(secret.weights.astype("<f8").tobytes())
    with sqlite3.connect(folder / "ledger.sqlite") as ledger:
        ledger.execute("create table cells (circuit text, seed text)")
        ledger.execute("insert into cells values (?, ?)", (secret.circuit, secret.seed))
    monkeypatch.setenv("SIMLAB_SECRET", f"{secret.seed} {secret.circuit} {folder}")
    handle = os.open(folder / "run.json", os.O_RDONLY)
    os.set_inheritable(handle, True)
    yield folder
    os.close(handle)


def leaky_recording(secret: Secrets) -> xr.Dataset:
    """A valid recording by a careless instrument, with the truth in every nook that xarray offers."""
    rng = np.random.default_rng(0)
    spikes = (rng.integers(0, 3, 200), rng.uniform(0, 1, 200), rng.integers(0, N, 200))
    told = {"unit_x": np.zeros(N), "unit_region": np.arange(N) % 3}
    seen = recording(duration=1.0, n_units=N, n_trials=3, spikes=spikes, **told)
    seen = seen.assign_coords(unit=secret.neurons, label=("unit", [secret.circuit] * N))
    seen = seen.assign_coords(where=("unit", [secret.regions[i % 3] for i in range(N)]))
    seen["unit_region"].attrs["regions"] = secret.regions
    seen.attrs |= {"circuit": secret.circuit, "seed": secret.seed, "weights": secret.weights}
    seen.encoding["source"] = f"/runs/{secret.circuit}/{secret.seed}.zarr"
    seen["spike_time"].attrs["neuron"] = secret.neurons.tolist()
    seen["spike_unit"].encoding["dtype"] = secret.circuit
    base = np.concatenate([np.zeros(N), secret.weights.ravel()])
    seen["unit_x"] = ("unit", base[:N])
    return seen


@contextmanager
def secret_rig(secret: Secrets):
    """The lab's own rig, on a subject whose closures and attributes hold the truth."""

    class Actuator:
        def __init__(self) -> None:
            self.key = secret.weights

        def aim(self, pulse):
            if pulse.kind != "stimulate":
                raise SimlabError(f"the {pulse.region} of {secret.regions} is out of reach") from KeyError(pulse.region)
            assert pulse.region in ("", *secret.regions)
            strength = np.zeros(N)
            strength[list(pulse.targets)] = pulse.strength
            return (Effect("drive", strength, pulse.start, pulse.stop, pulse.trials),)

    def propose(trials: int, duration: float) -> Session:
        return Session(trials, duration)

    def run(session: Session) -> xr.Dataset:
        return bare(leaky_recording(secret)).assign_attrs(duration=1.0)

    setup = Setup(propose, run, Actuator(), N, secret.regions)
    units = known_of_units(N, {"unit_region": np.arange(N) % 3})
    with mounted(setup, units, Budget(20, 20.0, 20), {}) as rig:
        yield rig


def found(outcome) -> list[str]:
    assert outcome.error == "", outcome.error + outcome.traceback
    assert outcome.finding.notes["looked_at"] > 50
    return outcome.finding.notes["found"]


def test_the_spy_finds_what_is_not_hidden(secret, run_folder):
    """The control: on a recording that was not blinded, with nothing in its way, the hunt succeeds."""
    spy = Spy(secret.wanted(), places=(str(run_folder),))
    loot = found(execute(spy, leaky_recording(secret), entropy=1, **LIMITS))
    wanted = {secret.seed, secret.circuit, str(secret.neurons[0]), str(secret.weights[0, 1]), *secret.regions}
    assert wanted <= set(loot)


def test_frames_and_memory_give_the_truth_away_in_the_same_process(secret):
    """Why strict execution exists: in this process a determined method finds the lab's own objects."""
    spy = Spy(secret.wanted(), everything=True, enough=10)
    assert len(found(execute(spy, bare(leaky_recording(secret)), entropy=1, **LIMITS))) >= 10


def test_the_run_folder_alone_gives_the_truth_away_to_who_can_read_it(secret, run_folder):
    spy = Spy(secret.wanted(), places=(str(run_folder),))
    outcome = execute(spy, bare(leaky_recording(secret)), entropy=1, **LIMITS)
    assert str(run_folder / "run.json") in outcome.finding.notes["opened"]
    assert secret.seed in found(outcome)


def test_a_passive_method_finds_no_truth_in_what_it_is_handed(secret):
    entropy = digest_int(secret.seed, "method", 3)
    loot = found(execute(Spy(secret.wanted()), bare(leaky_recording(secret)), entropy=entropy, **LIMITS))
    assert loot == []


def test_an_active_method_finds_no_truth_in_what_it_is_handed(secret):
    with secret_rig(secret) as rig:
        loot = found(execute(ActiveSpy(secret.wanted()), rig, entropy=digest_int(secret.seed, "method"), **LIMITS))
    assert loot == []


@needs_landlock
def test_a_passive_method_run_strictly_finds_no_truth_anywhere(secret, run_folder):
    spy = Spy(secret.wanted(), everything=True, places=(str(run_folder), str(run_folder.parent)), lab=os.getpid())
    outcome = execute(spy, leaky_recording(secret), entropy=digest_int(secret.seed, "a"), strict=True, **LIMITS)
    assert found(outcome) == []
    assert outcome.finding.notes["opened"] == []
    assert 100_000 < outcome.finding.notes["looked_at"] < MOST  # all of its own memory, to the end


@needs_landlock
def test_an_active_method_run_strictly_finds_no_truth_anywhere(secret, run_folder):
    spy = ActiveSpy(secret.wanted(), everything=True, places=(str(run_folder),), lab=os.getpid())
    with secret_rig(secret) as rig:
        outcome = execute(spy, rig, entropy=digest_int(secret.seed, "b"), strict=True, **LIMITS)
    assert found(outcome) == []
    assert outcome.finding.notes["opened"] == []


def test_the_seed_of_a_method_is_not_the_seed_of_the_run(secret):
    entropies = {digest_int(secret.seed, role, i) for role in ("method", "subject", "record") for i in range(100)}
    assert len(entropies) == 300
    assert int(secret.seed) not in entropies


@needs_landlock
def test_a_program_in_another_language_cannot_read_the_run_folder(secret, run_folder):
    from simlab.execution.strict.external import ExternalMethod

    script = 'print STDERR -r "%s" && open(my $f, "<", "%s") ? <$f> : "refused: $!"; exit 3'
    path = run_folder / "run.json"
    method = ExternalMethod("thief", "connectivity", ("perl", "-e", script % (path, path)))
    outcome = execute(method, bare(leaky_recording(secret)), entropy=1, strict=True, **LIMITS)
    assert "status 3" in outcome.error
    assert "refused: Permission denied" in outcome.traceback
    assert secret.seed not in outcome.traceback
