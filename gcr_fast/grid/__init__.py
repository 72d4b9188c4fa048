"""Raw rows of any table or file, laid on a regular grid of intervals: what a profile is (`shapes`).

`series` takes any layout apart and `metered` the readings of a public file; `intervals` lays them on a grid; `merging`
joins what several files have. The doors are `profiles` and `imports`.
"""
