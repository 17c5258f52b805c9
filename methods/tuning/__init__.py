"""Is a cell of an animal that moves tuned to its place, its heading or its speed?"""
