"""Other people's files in. Nothing about their formats is anywhere else.

`generation` and `certificates` have one module a format and one table of them; beneath lies what formats share: `long`
and `wide` tables, `words`, `clock`, `cells`, then the `model` that all of them fill, then `files`. Data flows that way.
"""
