"""The shape of the states of a population, by persistent homology or by what single cells are tuned to."""
