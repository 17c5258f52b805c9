"""The parts of a step in which neurons act on one another: arriving spikes, and graded couplings."""

from __future__ import annotations

from simlab.simulators.brian.words import in_brians_words
from simlab.simulators.kernel.build import Build, block, together
from simlab.simulators.kernel.translate import Lines
from simlab.simulators.spiking_network import Coupling
from simlab.simulators.spiking_plan import InexpressibleError


def arrivals(build: Build, index: int) -> str:
    """What the spikes that arrive in this step do: of the longest delay first, so in the order of being fired."""
    link, connection, use = build.objects.links[index], build.objects.connections[index], build.use
    if connection.state_updater or connection.subexpression_updater or connection.summed_updaters:
        raise InexpressibleError("synapses whose variables change between spikes: make their equations (event-driven)")
    with in_brians_words(build.objects.where(index)):
        connection.pre.update_abstract_code({})
        lines = build.scope(connection, f"a{index}", link=index).translate(connection.pre.abstract_code, guarded=True)
    delay, runs = use("delay", index), use("runs", index)
    history, counts = use("history", link.source), use("history_count", link.source)
    synapses = block(
        f"for _k in range({runs}[_d, _n], {runs}[_d, _n + 1]):", f"_j = {use('post', index)}[_k]", *lines.each
    )
    spikes = block(f"for _s in range({counts}[_slot]):", f"_n = {history}[_slot, _s]", synapses)
    under_way = block(f"if {delay}[_d] <= step:", f"_slot = (step - {delay}[_d]) & (len({counts}) - 1)", spikes)
    return together(*lines.once, block(f"for _d in range(len({delay})):", under_way))


def coupling(build: Build, index: int) -> str:
    """What a graded coupling adds up to."""
    link, connection, use = build.objects.links[index], build.objects.connections[index], build.use
    assert isinstance(link.of, Coupling)
    scope = build.scope(connection, f"c{index}", link=index)
    with in_brians_words(build.objects.where(index)):
        lines = scope.translate(f"_coupled = {link.of.expression}")
    weight = f"{use('synapse', index, 'w')}[_k]"
    if build.plan.has("gain"):
        weight += f" * {use('synapse', index, 'gain_')}[_k]"
    write = _pairwise if "_post" in scope.reads else _gathered
    return together(*lines.once, write(build, index, lines, weight))


def _pairwise(build: Build, index: int, lines: Lines, weight: str) -> str:
    """An expression of both neurons, computed for each pair."""
    link, use = build.objects.links[index], build.use
    bounds, target = use("bounds", index), use("neuron", link.target, build.objects.heard(index))
    each = block(
        f"for _k in range({bounds}[_j], {bounds}[_j + 1]):",
        f"_n = {use('pre', index)}[_k]",
        *lines.each,
        f"_sum += {weight} * c{index}_coupled",
    )
    return block(f"for _j in range({use('size', link.target)}):", "_sum = 0.0", each, f"{target}[_j] = _sum")


def _gathered(build: Build, index: int, lines: Lines, weight: str) -> str:
    """An expression of the presynaptic neuron: computed once each, summed once for neurons that hear the same."""
    link, use = build.objects.links[index], build.use
    bounds, target = use("bounds", index), use("neuron", link.target, build.objects.heard(index))
    sent, heard = use("sent", index), use("heard", index)
    sending = block(f"for _n in range({use('size', link.source)}):", *lines.each, f"{sent}[_n] = c{index}_coupled")
    each = block(
        f"for _k in range({bounds}[_j], {bounds}[_j + 1]):", f"_sum += {weight} * {sent}[{use('pre', index)}[_k]]"
    )
    summing = block(f"for _j in range(len({heard})):", "_sum = 0.0", each, f"{heard}[_j] = _sum")
    ears = f"{target}[_j] = {heard}[{use('ear', index)}[_j]]"
    return together(sending, summing, block(f"for _j in range({use('size', link.target)}):", ears))
