"""Networks that were trained: what they do was asked of them, and how they do it is found out afterwards."""
