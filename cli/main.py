"""The entry point. Nothing heavy is imported before a command runs: `gcr --help` loads click alone."""

from __future__ import annotations

import click

from gcr_fast import __version__

from .command import Group
from .convert import convert
from .demo import demo
from .exchange import exchange
from .importing import importing
from .profiles import profiles
from .registry_asking import query
from .registry_changing import CHANGES
from .registry_making import init, issue, parties
from .registry_proving import audit, export, prove, verify
from .registry_telling import history, info, statement, stats
from .registry_trading import trade, trades
from .schema import schema
from .validate import validate

SECTIONS = {
    "Commands": (convert, validate, importing, exchange, profiles, schema, demo),
    "Registry": (init, issue, parties),
    "Questions": (query, stats, trades, history, info),
    "Changes": (trade, *CHANGES),
    "Evidence": (verify, prove, audit, statement, export),
}
"""The commands as the help lists them."""


class Main(Group):
    """The command `gcr`: its commands are listed in sections."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections, their columns aligned."""
        widest = max(map(len, self.commands))
        for title, several in SECTIONS.items():
            with formatter.section(title):
                rows = [(f"{each.name:{widest}}", each.get_short_help_str()) for each in several]
                formatter.write_dl(rows)


@click.group(cls=Main, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="gcr")
def main() -> None:
    """Cancelled annual energy certificates in, exact hourly certificates out.

    Energy is conserved to the watt-hour. Start with `gcr demo`.
    """


for section in SECTIONS.values():
    for command in section:
        main.add_command(command)

if __name__ == "__main__":
    main()
