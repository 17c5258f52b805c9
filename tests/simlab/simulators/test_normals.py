"""Numbers drawn in compiled code are NumPy's."""

import numpy as np
from numba import njit

from simlab.simulators.normals import fill_normals, fill_uniforms, words_of


def streams(seed=5):
    rng = np.random.default_rng(seed)
    return words_of(rng), np.random.Generator(np.random.SFC64(rng.bit_generator.seed_seq))


def test_normal_numbers_are_numpys_to_the_bit_the_rare_ones_too():
    words, numpys = streams()
    drawn = np.empty(2**20)
    fill_normals(words, drawn)
    assert np.array_equal(drawn, numpys.standard_normal(2**20))
    assert np.sum(np.abs(drawn) > 3.6541528853610088) > 100  # the ziggurat's tail was met


def test_a_stream_goes_on_where_it_was_whatever_is_drawn():
    words, numpys = streams()
    parts = [np.empty(n) for n in (1, 3, 1000, 7)]
    for i, part in enumerate(parts):
        (fill_uniforms if i % 2 else fill_normals)(words, part)
        assert np.array_equal(part, numpys.random(len(part)) if i % 2 else numpys.standard_normal(len(part)))


def test_streams_of_different_seeds_differ_and_taking_one_leaves_the_generator_alone():
    rng = np.random.default_rng(1)
    before = rng.bit_generator.state
    assert np.array_equal(words_of(rng), words_of(rng))
    assert rng.bit_generator.state == before
    first, second = np.empty(50_000), np.empty(50_000)
    for rng, out in zip(np.random.default_rng(1).spawn(2), (first, second), strict=True):
        fill_normals(words_of(rng), out)
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / np.sqrt(50_000)


def test_compiled_code_draws_row_by_row_what_is_drawn_at_once():
    @njit
    def rows(stream, table):
        for row in table:
            fill_normals(stream, row)

    table, whole = np.empty((40, 25)), np.empty(1000)
    rows(streams()[0], table)
    fill_normals(streams()[0], whole)
    assert np.array_equal(table.ravel(), whole)
