"""`gcr import`: other people's files in."""

from __future__ import annotations

import click

from .command import Group
from .import_certificates import certificates
from .import_formats import formats
from .import_generation import generation


@click.group("import", cls=Group)
def importing() -> None:
    """Read other people's files: generation, load, certificates."""


for each in (generation, certificates, formats):
    importing.add_command(each)
