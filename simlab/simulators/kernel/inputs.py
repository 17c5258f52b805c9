"""The parts of a step in which neurons are given something: noise, drives, and effects of perturbations."""

from __future__ import annotations

from simlab.simulators.kernel.build import Build, block, together

FILL = {"randn": "fill_normals", "rand": "fill_uniforms"}


def noise(build: Build) -> str:
    """Fresh numbers: a row of each name, then those that the equations draw by themselves."""
    use, parts = build.use, []
    for name in sorted({name for population in build.populations for name in population.noises}):
        row, sharing = use("noise", -1, name), use("sharing", -1, name)
        common = f"{use('noise_own')} * {row}[{sharing}[_k, 0]] + {use('noise_common')} * {row}[{sharing}[_k, 1]]"
        parts.append(f"fill_normals({use('stream')}, {row})")
        parts.append(block(f"for _k in range(len({sharing})):", f"{row}[{sharing}[_k, 0]] = {common}"))
    for name, function in build.drawn:
        parts.append(f"{FILL[function]}({use('stream')}, {use('drawn', int(name.split('_')[0]), name)})")
    return together(*parts)


def rows(build: Build) -> str:
    """Drives and effects, each written wherever a step begins another of its rows."""
    parts = []
    for p, population in enumerate(build.populations):
        for name in build.plan.given(population):
            if name == "hold_":
                parts.append(_hold(build, p))
            elif name == "perturbation":
                parts.append(_when_changed(build, name, _copied(build, p, name)))
            elif name not in population.noises:
                parts.append(_when_changed(build, name, _mixed(build, p, name)))
    return together(*parts)


def _when_changed(build: Build, name: str, code: str) -> str:
    row = build.use("row", -1, name)
    return together(f"_row = {row}[step]", block(f"if step == first or _row != {row}[step - 1]:", code))


def _copied(build: Build, p: int, name: str) -> str:
    value, table = build.use("neuron", p, name), build.use("table", p, name)
    return build.neurons(p, f"{value}[_i] = {table}[_row, _i]")


def _mixed(build: Build, p: int, name: str) -> str:
    """Factors times loadings; a drive without loadings has a factor per neuron."""
    value, factors, loading = build.use("neuron", p, name), build.use("table", -1, name), build.use("loading", p, name)
    cleared = build.neurons(p, f"{value}[_i] = 0.0")
    added = build.neurons(p, f"{value}[_i] += {factors}[_row, _f] * {loading}[_f, _i]")
    own = build.neurons(p, f"{value}[_i] = {factors}[_row, {build.use('first_neuron', p)} + _i]")
    return together(
        block(f"if len({loading}):", cleared, block(f"for _f in range(len({loading})):", added)), block("else:", own)
    )


def _hold(build: Build, p: int) -> str:
    """Who is deaf to its threshold (1), and made to fire in this step (2)."""
    value, cell, bounds = build.use("neuron", p, "hold_"), build.use("forced", p), build.use("forced_bounds", p)
    before = block(f"for _k in range({bounds}[step - 1], {bounds}[step]):", f"{value}[{cell}[_k]] = 1.0")
    now = block(f"for _k in range({bounds}[step], {bounds}[step + 1]):", f"{value}[{cell}[_k]] = 2.0")
    return together(block("if step > first:", before), _when_changed(build, "hold_", _copied(build, p, "hold_")), now)
