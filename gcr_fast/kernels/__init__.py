"""Pure functions on arrays: no Arrow, no errors raised, every file stands alone."""
