"""Circuits on which causal methods can be right or wrong: parts whose roles in a behaviour are known exactly."""
