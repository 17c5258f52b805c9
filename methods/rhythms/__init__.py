"""What is periodic, rotates or comes in a fixed order; one file for each analysis."""
