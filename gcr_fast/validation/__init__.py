"""Anyone's hourly certificates, checked: read (`hourly`), in batches cut by parent (`parts`), compared with profiles.

`runs` are the hours of one parent, one after another; `quota` holds them against the profiles that they came from. The
door is `validator`.
"""
