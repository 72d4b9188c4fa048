"""Generation and load out of public files, as one long table, with an account of every row, gap and clock change.

`gathering` reads the files and lays their series on grids; `coverage` tells which intervals are expected, `filling`
fills what is asked for; `table` is what results. When it is asked, `accounts` counts what was found, `told` says it in
words, and `gaps` draws it.
"""

from gcr_fast.imports.gathering import import_generation
from gcr_fast.imports.table import Imported

__all__ = ["Imported", "import_generation"]
