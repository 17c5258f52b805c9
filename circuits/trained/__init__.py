"""Networks that were trained on a task: what they were trained for is known, how they do it is found out afterwards."""
