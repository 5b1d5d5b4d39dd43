"""A package, so that the server of its tests is one for all its modules, and ends with them."""
