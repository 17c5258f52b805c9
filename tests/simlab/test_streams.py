"""Random streams repeat, differ by role, and do not give their seed away."""

from __future__ import annotations

import numpy as np

from simlab.streams import digest_int, stream


def test_the_same_seed_and_role_give_the_same_numbers():
    assert stream(7, "subject", 3).random(5).tolist() == stream(7, "subject", 3).random(5).tolist()


def test_streams_of_different_roles_are_uncorrelated():
    draws = np.array([stream(7, "subject", i).standard_normal(4000) for i in range(8)])
    off_diagonal = np.corrcoef(draws)[~np.eye(8, dtype=bool)]
    # sd of a null correlation is 1/sqrt(4000) = .016; 28 pairs stay within 4.5 sd but for 1 in 5000 runs
    assert np.abs(off_diagonal).max() < 4.5 / np.sqrt(4000)


def test_roles_do_not_run_into_one_another():
    assert digest_int(1, "ab", "c") != digest_int(1, "a", "bc")
    assert digest_int(1, 23) != digest_int(12, 3)


def test_a_generator_carries_only_a_hash_of_the_seed():
    secret = 123456789123456789
    entropy = stream(secret, "method").bit_generator.seed_seq.entropy
    assert entropy == digest_int(secret, "method")
    assert str(secret) not in str(entropy)
    assert entropy != digest_int(secret, "subject", 0)
