"""Other registries' certificate lists in: one module per format, one table of them (`formats`).

`formats` -> one module each -> `reading`, which takes a list in blocks of rows: what is plain in a block is read at once
(`plain`, `cutting`), the rest row by row (`rows`), both by what cells mean (`facts` -> `production`, `marks`, `statuses`,
`technologies`, `places`, `identifiers`, `amounts`) -> `held`, the certificates as columns -> `tables`. Below all of them
are `layout`, `periods`, `serials` and `sheet` -> `..files`. Data flows that way only. What files together may not hold
(one certificate twice) is checked one room up, in `gcr_fast.certificates`, which is the door.
"""
