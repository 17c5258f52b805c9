"""What no kernel can express Brian2 runs, and says why; what cannot run at all is refused in words that help."""

import re
from dataclasses import replace

import numpy as np
import pytest
from network_bench import assert_same, both

from simlab.contracts import SimlabError
from simlab.session import Effect, Session
from simlab.simulators.spiking import Coupling, Population, Record, SpikingNetwork, SynapseSet, simulate

LEAKY = """
    dv/dt = (-v + bias)/(10*ms) : volt
    bias : volt (constant)
"""


def network(equations=LEAKY, synapses=(), **changes):
    own = {"threshold": "v > 10*mV", "reset": "v = 0*mV", "parameters": {"bias": 20e-3}}
    return SpikingNetwork((Population(2, equations, **{**own, **changes}),), synapses)


def synapse(**given):
    return (SynapseSet(np.array([0]), np.array([1]), np.array([1e-3]), 1e-3, **given),)


def coupling(expression, target="heard", unit="1"):
    return (Coupling(np.array([0]), np.array([1]), np.array([0.5]), target, expression, unit),)


def run(given, engine="auto", **options):
    return simulate(given, Session(2, 0.05), np.random.default_rng(1), burn_in=0.0, engine=engine, **options)


DRAWING = "dv/dt = (-v + jump)/(10*ms) : volt\njump = 40*mV*rand() : volt (constant over dt)"
LEARNING = {
    "equations": "dactive/dt = -active/(5*ms) : 1 (clock-driven)",
    "on_pre": "v_post += w*active; active += 1",
    "variables": {"active": 1.0},
}

TRACE = {"equations": "dtrace/dt = -trace/(5*ms) : 1 (clock-driven)", "variables": {"trace": 1.0}}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (network(reset="v = 0.1*mV*poisson(3)"), r"the function poisson\(\)"),
        (network(LEAKY + "count : integer", reset="v = 0*mV; count += 1"),
         "'count', which is no floating-point number"),
        (network(LEAKY + "fired : boolean", reset="v = 0*mV; fired = True"), "'fired', which is no floating-point"),
        (network(DRAWING, parameters={}), r"a subexpression that is \(constant over dt\)"),
        (network(LEAKY + "high : volt (constant)", reset="v = 0*mV; high = v"),
         r"'high', which is declared \(constant\)"),
        (network(synapses=synapse(**LEARNING)), r"variables change between spikes.*\(event-driven\)"),
    ],
)  # fmt: skip
def test_what_no_kernel_can_express_brian2_runs_and_says_why(given, reason):
    found, reference = run(given), run(given, "brian2")
    assert np.array_equal(found.time, reference.time)
    assert len(found.time) > 5
    pattern = f"brian2 .* numpy, as no kernel expresses .*{reason}"
    assert re.search(pattern, found.engine), found.engine
    with pytest.raises(SimlabError, match=rf"no kernel can express .*{reason}"):
        run(given, "kernel")


DECLARE = "declare that name in the equations with its unit"
NUMBERING = "which also counts replicates: declare a parameter"


@pytest.mark.parametrize(
    ("given", "where", "what", "remedy"),
    [
        (network("dv/dt = -v/(10*mV) : volt"), "equations of population 0", "'v'.*volt ?/ ?second", "one unit"),
        (network("dv/dt = -v/(10*ms) + 1*amp : volt"), "equations of population 0", "inconsistent units", "one unit"),
        (network("dv/dt = (rest - v)/(10*ms) : volt"),
         "equations of population 0", r"\"rest\".* in 'dv/dt = \(rest", DECLARE),
        (network("dv/dt = (-v/ms : volt"), "equations of population 0", "never closed in 'dv/dt", "as Brian2 takes"),
        (network("dv/dt = -v/(10*ms)"), "equations of population 0", "dv/dt", "with its unit, as"),
        (network("dv/dt = -v/(10*ms) : volts"), "equations of population 0", "'v'.*'volts'", "as Brian2 takes"),
        (network(synapses=synapse(**TRACE)), "synapse set 0", "name 'trace' is that of a function", "another name"),
        (network(method="eulr"), "by the method 'eulr'", "No state updater", "use euler, heun"),
        (network(refractory="silent"), "refractory period 'silent' of population 0", '"silent"', DECLARE),
        (network(refractory="2*v"), "population 0", "timespan", "give a time in seconds, or a condition"),
        (network(threshold="v > peak"), "threshold 'v > peak' of population 0", '"peak"', DECLARE),
        (network(threshold="v > 10"), "threshold 'v > 10' of population 0", "different units", "one unit"),
        (network(threshold="v - 10*mV"), "threshold 'v - 10", "not a boolean", "write a comparison"),
        (network(threshold="v >> > 1"), "threshold 'v >> > 1'", "invalid syntax", "as Brian2 takes"),
        (network(reset="v = low"), "reset 'v = low' of population 0", '"low"', DECLARE),
        (network(reset="v = 0"), "reset 'v = 0' of population 0", "expected unit volt", "one unit"),
        (network(LEAKY + "tide : 1 (shared)", reset="tide = 1; v = 0*mV"),
         "tide = 1", "'tide', which all", r"drop \(shared\)"),
        (network(reset="v == 0*mV"), "reset 'v == 0", "v == 0", "write statements as"),
        (network(synapses=synapse(factor="x_pre")), r"w \* \(x_pre\)' of synapse set 0", '"x_pre"', DECLARE),
        (network(synapses=synapse(factor="v_pre")), "of synapse set 0", "'v_post' has unit V; 'w", "one unit"),
        (network(synapses=synapse(factor="v_pre*(")), "of synapse set 0", "(never closed|Unbalanced)", "as Brian2"),
        (network(synapses=synapse(on_pre="v_post += w*q")), "of synapse set 0", '"q"', DECLARE),
        (network(synapses=synapse(on_pre="v_post + w")),
         "'v_post . w' of synapse set 0", "Expected", "write statements"),
        (network(synapses=synapse(equations="x : 1", on_pre="v_post += w*x")),
         "synapse set 0", "'x', which has no", "`variables`"),
        (network(synapses=synapse(variables={"y": 1.0})), "synapse set 0", "no 'y' is declared", "drop its value"),
        (network(synapses=synapse(target="g")), "synapse set 0", "no 'g' is declared", "declare it with its unit"),
        (network(synapses=synapse(), threshold="", reset=""), "synapse set 0", "event 'spike'", "give.*a threshold"),
        (network(LEAKY + "heard : volt", coupling("x_pre")), "'x_pre' of coupling 0", '"x_pre"', DECLARE),
        (network(LEAKY + "heard : volt", coupling("v_pre*amp")), "of coupling 0", "expected unit volt", "one unit"),
        (network(synapses=coupling("v_pre", "v")),
         "coupling 0", "parameter 'v'", "declare the target without an equation"),
        (network(LEAKY + "place = i*1.0 : 1"), "population 0", "'i'", NUMBERING),
        (network(synapses=synapse(factor="int(i == 1)")), "synapse set 0", "'i'", NUMBERING),
    ],
)  # fmt: skip
@pytest.mark.parametrize("engine", ["kernel", "brian2"])
def test_equations_that_cannot_run_are_refused_with_where_why_and_what_to_do(given, where, what, remedy, engine):
    with pytest.raises(SimlabError, match=f"{where}.*{what}.*{remedy}") as refused:
        run(given, engine)
    assert "\n" not in str(refused.value)
    assert "Error:" not in str(refused.value)
    assert "simlab_" not in str(refused.value).replace("Source group 'simlab_neurons_0'", "")


@pytest.mark.parametrize("engine", ["kernel", "brian2"])
@pytest.mark.parametrize("name", ["u", "v + bias"])
def test_what_no_population_declares_cannot_be_recorded(name, engine):
    with pytest.raises(SimlabError, match=r"cannot record .*: no population's equations declare it"):
        run(network(), engine, record=Record((name,)))


def test_a_gain_on_a_weight_that_is_learned_is_refused():
    learning = network(synapses=synapse(on_pre="v_post += w; w = 0.9*w"))
    session = Session(1, 0.05, perturbations=(Effect("gain", np.array([0.5, 1.0]), 0.01, 0.03),))
    for engine in ("kernel", "brian2"):
        with pytest.raises(SimlabError, match="let what is learned be a variable of its own"):
            simulate(learning, session, np.random.default_rng(1), engine=engine)


# --- what kernels do express, though at first sight they might not ---------------------------------------------------

ODD = """
    dv/dt = (-v + bias*(1 + 0.2*sin(2*pi*50*Hz*t)) + 5*mV*int(t_in_timesteps > 100))/tau
            + 0*volt/second*exp(-inf) : volt
    dw/dt = -w/tau : 1
    bias : volt (constant)
    tau : second (constant)
"""


def odd():
    """Time and constants in equations, a neuron's own w, weights that are learned, what synapses share, two trials."""
    plastic = {
        "equations": "dx/dt = (1 - x)/recovery : 1 (event-driven)\nrecovery : second (shared, constant)",
        "on_pre": "v_post += w*x*exp(-dt/recovery)/(1 + w_post); x *= 0.5; w *= 0.9",
        "variables": {"x": 1.0, "recovery": 20e-3},
    }
    synapses = SynapseSet(np.array([0, 1, 1]), np.array([1, 0, 1]), np.array([1e-3, 2e-3, 1e-3]), 1e-3, **plastic)
    parameters = {"bias": np.array([20e-3, 16e-3]), "tau": np.array([10e-3, 20e-3])}
    return network(ODD, (synapses,), reset="v = 0*mV; w += 0.5", parameters=parameters)


def test_time_constants_learned_weights_and_a_neurons_own_w_are_alike_on_both_engines():
    found = both(odd(), Session(3, 0.1), record=Record(("v", "w"), 1e-3))
    assert_same(found)
    v = found[0].samples["v"]
    assert np.array_equal(v[0], v[2])  # no trial inherits what another has learned
    assert len(found[0].time) > 20


def test_methods_keep_per_neuron_constants_apart():
    """By the exact method, whose factors are computed once per neuron: a cell relaxes by its own time constant."""
    tau = np.array([5e-3, 20e-3])
    relaxing = "dv/dt = (bias - v)/tau : volt\nbias : volt (constant)\ntau : second (constant)"
    given = network(relaxing, method="exact", parameters={"tau": tau, "bias": 5e-3})
    found = both(given, Session(1, 0.05), record=Record(("v",), 1e-3))
    assert_same(found)
    t = np.arange(50)[:, None] * 1e-3
    np.testing.assert_allclose(found[0].samples["v"][0], 5e-3 * (1 - np.exp(-t / tau)), rtol=1e-5)


def test_a_coupling_onto_what_is_not_declared_plainly_is_refused():
    base = replace(network(LEAKY + "heard : volt (constant)"), synapses=coupling("v_pre") + coupling("-v_pre"))
    with pytest.raises(SimlabError, match=r"declare it on a line of its own, `heard : unit`"):
        run(base, "kernel")
