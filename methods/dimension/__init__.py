"""How many dimensions a population has: one file for each analysis."""
