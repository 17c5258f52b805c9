"""Methods that ask what single neurons code."""
