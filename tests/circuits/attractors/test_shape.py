"""Betti numbers of shapes that are known."""

import numpy as np

from circuits.attractors.shape import betti_numbers

TURN = np.linspace(0, 2 * np.pi, 40, endpoint=False)


def circle(turn=TURN):
    return np.stack([np.cos(turn), np.sin(turn), np.zeros_like(turn)], axis=1)


def test_a_circle_is_one_piece_with_one_loop():
    assert betti_numbers(circle()) == (1, 1, 0)


def test_a_curved_line_visited_there_and_back_has_no_loop():
    there = circle(np.linspace(0, 4, 30))
    assert betti_numbers(np.concatenate([there, there[::-1]])) == (1, 0, 0)


def test_an_unevenly_sampled_circle_is_still_a_circle():
    assert betti_numbers(circle(TURN + 0.02 * np.sin(40 * TURN) + 0.1 * np.sin(TURN))) == (1, 1, 0)


def test_a_single_state_is_a_point_and_few_states_are_as_many_points():
    assert betti_numbers(np.ones((40, 5))) == (1, 0, 0)
    assert betti_numbers(np.repeat(np.eye(3), 10, axis=0)) == (3, 0, 0)


def test_two_circles_far_apart_are_two_pieces_with_a_loop_each():
    assert betti_numbers(np.concatenate([circle(), circle() + np.array([0, 0, 9.0])])) == (2, 2, 0)
