"""Populations whose rates follow known latent factors, and populations that share none."""
