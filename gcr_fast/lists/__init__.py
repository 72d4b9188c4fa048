"""Certificate lists side by side: what each file says (`files`, our own too: `own`), and what stands in them twice.

`alike` finds rows that share a serial number or an id, by columns of hashes; `twice` says what that means. The door is
`certificates`.
"""
