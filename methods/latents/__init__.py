"""Latent factors of a population, at each moment: one file for each analysis."""
