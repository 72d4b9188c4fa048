"""Benchmarks: this library, the tools a user would pick instead, and the machine's own limit, on the same input."""
