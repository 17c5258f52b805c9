"""How a value may be remembered: by an attractor, by a hidden chain, by the cells themselves, or somewhere else."""
