"""Circuits on which causal methods can be right or wrong, because what does what in them is known."""
