"""From certificates and profiles to hours: which profile (`matching`), how much (`booking`), the hours (`batches`).

`bases` knows what an allocation basis contradicts, `lacking` what to say of a profile that is not there; `plan` is what
results of matching. `tiles` is memory that repeats; `blocks` are converted hours as matrices, for a registry. The door
is `processor`.
"""
