"""Who is connected to whom: one file for each analysis."""
