"""Batched engines that circuits use: spiking (Brian2) and rates (JAX)."""
