"""Hourly certificates and profiles out to other registries, and their certificates back in.

`bundles_out`, `bundles_in` and `readings` are the doors; `hours` reads what is written out.
"""
