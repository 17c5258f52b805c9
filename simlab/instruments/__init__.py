"""What can be measured, and what can be manipulated: one file per instrument."""
