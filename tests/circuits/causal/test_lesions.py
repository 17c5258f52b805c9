"""What lesions say of parts: classes, and which region is for what."""

import numpy as np

from circuits.causal.lesions import Lesions, functions, in_batches, modules_of, region_lesions, unit_lesions


def test_parts_fall_into_four_classes():
    outcome = np.array([[1, 1, 1], [1, 0.97, 1], [0.9, 1, 1], [0.4, 1, 1], [0.1, 0.2, 0.9], [0, 0, 0.3]])
    classes = Lesions(tuple("abcdef"), outcome).classes()
    assert classes == {"no effect": 2, "disturb": 1, "abolish one or some": 2, "abolish all": 1}


def test_a_region_is_for_a_behaviour_only_if_no_other_program_needs_it():
    parts = ("own", "shared", "also of others", "of others", "nothing")
    outcome = np.array([[1, 0.2], [0.5, 0.5], [0, 1], [1, 1], [1, 0.99]])
    others = np.array([[1, 1], [1, 1], [0, 1], [0, 0], [1, 1.0]])
    truth = functions(Lesions(parts, outcome), Lesions(parts, others))
    assert truth["function"].values.tolist() == ["behaviour 1", "generic", "generic", "generic", "none"]
    assert truth["generic"].values.tolist() == [0, 0, 0.5, 1, 0]
    np.testing.assert_allclose(truth["involvement"].sel(region="own"), [0, 0.8])
    alone = functions(Lesions(parts, outcome), None)
    assert alone["function"].values.tolist() == ["behaviour 1", "generic", "behaviour 0", "none", "none"]


def test_each_unit_and_each_region_is_taken_away_once_in_whatever_batches():
    regions = ("b", "a", "b")
    assert modules_of(regions)[0] == ("b", "a")

    def outcomes(parts):
        return 1.0 - parts[:, :2]

    assert unit_lesions(("x", "y", "z"), outcomes).outcome.tolist() == [[0, 1], [1, 0], [1, 1]]
    assert region_lesions(regions, outcomes).outcome.tolist() == [[0, 1], [1, 0]]
    parts = np.random.default_rng(0).random((7, 3)) < 0.5
    np.testing.assert_array_equal(in_batches(outcomes, parts, 3), outcomes(parts))
