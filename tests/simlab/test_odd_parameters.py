"""Whatever is given as a parameter of a plug-in makes an instance within its rules or is refused by name and value."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest
from odd_values import ODD, shown

from methods.pipelines.binning import Binning
from methods.pipelines.deconvolution import Deconvolution
from methods.pipelines.smoothing import Smoothing
from methods.pipelines.trial_averaging import TrialAveraging
from methods.pipelines.unit_selection import UnitSelection
from methods.pipelines.z_scoring import ZScoring
from simlab import registry
from simlab.contracts import Budget, SimlabError
from simlab.fingerprint import fingerprint, parameters
from simlab.instruments.recording.indicators import INDICATORS
from simlab.rules import Within
from simlab.rules.annotations import fits, plain, resolved, stated

BUILT_IN = ("circuits.", "methods.", "simlab.")
KINDS = ("circuits", "instruments", "methods", "questions")
DEFAULTS = {
    f"{kind}-{name}": registry.get(kind, name)()
    for kind in KINDS
    for name in registry.names(kind)
    if registry.get(kind, name).__module__.startswith(BUILT_IN)
}
STEPS = (Binning(), Deconvolution(), Smoothing(), TrialAveraging(), UnitSelection(), ZScoring())
PLUGINS = (
    DEFAULTS | {f"steps-{step.name}": step for step in STEPS} | {"indicator": INDICATORS["gcamp6f"], "budget": Budget()}
)
FIELDS = [(plugin, field.name) for plugin in PLUGINS.values() for field in dataclasses.fields(plugin)]


@pytest.mark.parametrize("plugin", PLUGINS.values(), ids=PLUGINS)
def test_an_odd_value_is_refused_by_name_and_value_or_lies_within_the_rules(plugin):
    for field in dataclasses.fields(plugin):
        for value in ODD:
            made, refusal = tried(plugin, field.name, value)
            if made is None:
                assert field.name in refusal, refusal
                assert shown(value) in refusal or shown(plain(value)) in refusal, refusal
                assert len(refusal) < 600
            else:
                assert fits(getattr(made, field.name), resolved(type(plugin))[field.name]), (field.name, value)
                assert len(fingerprint(made)) == 64


def tried(plugin, name, value):
    """The plug-in with this field, or None and what was said."""
    try:
        return dataclasses.replace(plugin, **{name: value}), ""
    except SimlabError as refusal:
        return None, str(refusal)


def test_there_are_as_many_cases_as_in_the_attack_that_found_them():
    assert len(FIELDS) * len(ODD) >= 990


@pytest.mark.parametrize("plugin", PLUGINS.values(), ids=PLUGINS)
def test_every_field_says_what_it_may_be_and_its_default_is_that(plugin):
    for field in dataclasses.fields(plugin):
        hint = resolved(type(plugin)).get(field.name)
        assert hint is not None, f"{field.name} has an annotation that cannot be evaluated"
        assert fits(getattr(plugin, field.name), hint)
        assert hint not in (int, float), f"{field.name} has no range"


@pytest.mark.parametrize("plugin", PLUGINS.values(), ids=PLUGINS)
def test_the_ends_of_a_range_are_inside_and_what_lies_beyond_is_not(plugin):
    for field in dataclasses.fields(plugin):
        rule = stated(resolved(type(plugin))[field.name])[1]
        if isinstance(rule, Within):
            for end, beyond in ((rule.low, -np.inf), (rule.high, np.inf)):
                outside = np.nextafter(end, beyond) if np.isfinite(end) else np.nan
                with pytest.raises(SimlabError, match=field.name):
                    dataclasses.replace(plugin, **{field.name: float(outside)})


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("circuits-balanced_ei", {"external_mean": 12}, "12: if 12 mV was meant, write 0.012"),
        ("circuits-balanced_ei", {"membrane_time_constant": 20}, "20: if 20 ms was meant, write 0.02"),
        ("circuits-balanced_ei", {"delay": (0.5, 2.5)}, "if 0.5 ms was meant, write 0.0005"),
        ("circuits-cortical_patch", {"reach": 100}, "if 100 um was meant, write 0.0001"),
        ("circuits-balanced_ei", {"n_neurons": "100"}, "write 100 without quotes"),
        ("circuits-ring_attractor", {"rest": -70}, "if -70 mV was meant, write -0.07"),
        ("circuits-ring_attractor", {"reach": 90}, "if 90 degrees was meant, write 1.5708"),
        ("circuits-ring_attractor", {"model": "spike"}, "did you mean 'spiking'?"),
        ("circuits-coupled_rates", {"noise": -1.0}, "noise must be a number in 0..100, got -1.0"),
        ("instruments-electrodes", {"noise": -1e-6}, "noise must be a number in 0..0.02 V, 0 left out, got -1e-06"),
        ("instruments-two_photon", {"noise_level": -1}, "noise_level must be a number in 0..1000, got -1"),
        ("instruments-optogenetics", {"cell_types": "E"}, "write ('E',) for a single one"),
        ("instruments-subsample", {"n_units": 0}, "in 1..10000, got 0: the default is 20"),
        ("methods-persistent_homology", {"neighbours": -1}, "neighbours must be a whole number in 1..100000, got -1"),
        ("methods-coupling_glm", {"alpha": 5}, "if 5 percent was meant, write 0.05"),
        ("methods-pipeline", {"steps": (Binning,)}, "write Binning() with brackets"),
        ("methods-pipeline", {"method": Binning}, "method must be an instance"),
    ],
)  # fmt: skip
def test_the_fix_is_told(name, change, message):
    with pytest.raises(SimlabError) as refusal:
        dataclasses.replace(PLUGINS[name], **change)
    assert message in str(refusal.value)


def test_numbers_of_numpy_become_those_of_python_and_lists_become_tuples():
    made = dataclasses.replace(
        PLUGINS["circuits-balanced_ei"], n_neurons=np.int8(100), epsp=np.float32(0.5e-3), delay=[1e-3, np.float64(2e-3)]
    )
    assert [type(value) for value in (made.n_neurons, made.epsp, made.delay, made.delay[1])] == [
        int,
        float,
        tuple,
        float,
    ]
    assert pickle.loads(pickle.dumps(made)) == made


def test_rules_are_no_parameters():
    """The hash of a plug-in is that of its values alone, as it was before fields had rules."""

    @dataclasses.dataclass(frozen=True)
    class Subsample:
        name = "subsample"
        n_units: int = 20
        regions: tuple[str, ...] = ()

    assert fingerprint(PLUGINS["instruments-subsample"]) == fingerprint(Subsample())
    assert parameters(PLUGINS["instruments-subsample"]) == {"n_units": 20, "regions": []}
