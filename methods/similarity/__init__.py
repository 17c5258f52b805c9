"""Do two populations represent the same, or do the same: one file for each measure of similarity."""
