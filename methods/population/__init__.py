"""What a population does: its shape, dimension and memory; one file for each analysis."""
