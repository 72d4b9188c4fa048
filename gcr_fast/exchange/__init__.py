"""Our tables in and out: the only room, with `sources`, that opens data files.

`reading` takes CSV, Parquet and Arrow IPC; `writing` leaves a whole file or none; `rowgroups` encodes Parquet row
groups in parallel and encodes a column that repeats only once.
"""
