"""The kernel engine: one compiled function per network, made from the step that Brian2 derives from its equations."""
