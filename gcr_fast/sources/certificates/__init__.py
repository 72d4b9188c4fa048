"""Other registries' certificate lists in: one module per format, one table of them (`formats`).

`formats` -> one module each -> `reading`, which takes a list in blocks: rows with which nothing is wrong are read
together (`plain`, `cutting`), the others one by one (`rows`), both by what cells mean (`facts` -> `production`,
`marks`, `statuses`, `technologies`, `places`, `identifiers`, `amounts`) -> `held`, the certificates as columns ->
`tables`. Below them are `choosing` (of two columns for one thing), `book` (sheets of workbooks), `layout`, `periods`,
`serials` and `sheet` -> `..files`. Data flows that way only. What files together may not hold (one certificate twice)
is checked one room up, in `gcr_fast.certificates`, which is the door.
"""
