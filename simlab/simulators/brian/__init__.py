"""The reference engine: Brian2 itself, which also derives the steps that the kernel engine compiles."""
