"""A method under limits: here, or sealed in a process of its own (`strict`)."""
