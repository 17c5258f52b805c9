"""In which regime a network is: time constants, branching, avalanches, chaos, switches; one file for each analysis."""
