"""Methods that look for lattices of fields in the maps of units: grid cells, their periods and their modules."""
