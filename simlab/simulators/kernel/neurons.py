"""The parts of a step that concern neurons: state updates, thresholds, resets, and records of what they do."""

from __future__ import annotations

from simlab.simulators.brian.words import in_brians_words
from simlab.simulators.kernel.build import Build, block, together
from simlab.simulators.spiking_network import Coupling
from simlab.simulators.spiking_plan import InexpressibleError


def update(build: Build, p: int) -> str:
    """The state update of a population, as its method of integration has it."""
    updater, at_once = build.objects.groups[p].state_updater, build.objects.groups[p].subexpression_updater
    if at_once is not None:
        raise InexpressibleError("a subexpression that is (constant over dt)")
    with in_brians_words(f"the equations of population {p}"):
        lines = build.steady_scope(p, "u").translate(updater.abstract_code)
    return together(*lines.once, build.neurons(p, *lines.each))


def threshold(build: Build, p: int) -> str:
    """Which neurons of a population fire: `fired`, whose first `n_fired` count; they are kept and sent on their way."""
    group, use = build.objects.groups[p], build.use
    if "spike" not in group.thresholder:
        return ""
    with in_brians_words(f"the threshold of population {p}"):
        lines = build.steady_scope(p, "h").translate(group.thresholder["spike"].abstract_code)
    count, fired = f"n_fired_{p}", use("fired", p)
    now = [f"{fired}[{count}] = _i", f"{count} += 1"]
    if "not_refractory" in group.variables:
        now += [f"{use('last', p)}[_i] = step", f"{use('ready', p)}[_i] = False"]
    kept = (
        f"{use('spike_step')}[n_spikes] = step",
        f"{use('spike_neuron')}[n_spikes] = {use('first_neuron', p)} + {fired}[_s]",
        "n_spikes += 1",
    )
    return together(
        f"{count} = 0",
        *lines.once,
        build.neurons(p, *lines.each, block(f"if h{p}_cond:", *now)),
        block("if step >= burn_in:", block(f"for _s in range({count}):", *kept)),
        _history(build, p),
    )


def _history(build: Build, p: int) -> str:
    """Spikes are kept for as long as they may be under way."""
    if not any(link.source == p and not isinstance(link.of, Coupling) for link in build.objects.links):
        return ""
    counts = build.use("history_count", p)
    copied = f"{build.use('history', p)}[_slot, _s] = {build.use('fired', p)}[_s]"
    return together(
        f"_slot = step & (len({counts}) - 1)",  # a length that is a power of two
        f"{counts}[_slot] = n_fired_{p}",
        block(f"for _s in range(n_fired_{p}):", copied),
    )


def reset(build: Build, p: int) -> str:
    """What neurons that fired start from anew."""
    group = build.objects.groups[p]
    if "spike" not in group.resetter:
        return ""
    with in_brians_words(f"the reset of population {p}"):
        group.resetter["spike"].update_abstract_code({})
        lines = build.scope(group, f"r{p}").translate(group.resetter["spike"].abstract_code)
    fired = f"_i = {build.use('fired', p)}[_s]"
    return together(*lines.once, block(f"for _s in range(n_fired_{p}):", fired, *lines.each))


def records(build: Build) -> str:
    """What is recorded, at the start of a step that is a sample's."""
    record, parts = build.plan.record, []
    for p, group in enumerate(build.objects.groups if record else ()):
        for name in record.variables if record else ():
            if name in group.variables:
                with in_brians_words(f"the record of {name!r}"):
                    scope = build.scope(group, f"s{p}{name}")
                    scope.given = build.steady_scope(p, "").given
                    lines = scope.translate(f"_recorded = {name}")
                kept = f"{build.use('kept', p, name)}[_sample, _r] = s{p}{name}_recorded"
                seen = build.use("seen", p)
                loop = block(f"for _r in range(len({seen})):", f"_i = {seen}[_r]", *lines.each, kept)
                parts.append(together(*lines.once, loop))
    if not parts:
        return ""
    every = build.use("sample_every")
    due = f"if step >= burn_in and (step - burn_in) % {every} == 0:"
    return block(due, f"_sample = (step - burn_in) // {every}", *parts)
