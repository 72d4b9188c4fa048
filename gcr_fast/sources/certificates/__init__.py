"""Other registries' certificate lists in: one module per format, one table of them (`formats`).

`formats` -> one module each -> `reading` -> `layout`, `periods`, `serials`, `statuses`, `technologies`, `places`,
`identifiers` -> `sheet` -> `..files`. Data flows that way only. What files together may not hold (one certificate
twice) is checked one room up, in `gcr_fast.certificates`, which is the door.
"""
