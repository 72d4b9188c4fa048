"""Generation and load out of public files, as one long table, with an account of every row, gap and clock change.

`gathering` reads the files and lays their series on grids; `coverage` tells which intervals are expected, `accounts`
counts what was found, `filling` fills what is asked for, `gaps` draws the rest; `table` is what results.
"""

from gcr_fast.imports.gathering import import_generation
from gcr_fast.imports.table import Imported

__all__ = ["Imported", "import_generation"]
