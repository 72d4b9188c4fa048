"""The entry point. Nothing heavy is imported before a command runs: `gcr --help` loads click alone."""

from __future__ import annotations

import click

from gcr_fast import __version__

from .command import Group
from .convert import convert
from .demo import demo
from .profiles import profiles
from .schema import schema
from .validate import validate


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="gcr")
def main() -> None:
    """Cancelled annual energy certificates in, exact hourly certificates out.

    Energy is conserved to the watt-hour. Start with `gcr demo`.
    """


for command in (convert, validate, profiles, schema, demo):
    main.add_command(command)

if __name__ == "__main__":
    main()
