"""What every command has: a worked example at the end of its help, and plain words instead of tracebacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import click

from gcr_fast.errors import GcrError, OutputError, UsageError
from gcr_fast.findings import RefusedError

INTERRUPTED = 130


class Command(click.Command):
    """A command whose refusals become exit code 1, whose misuse 2, and an interrupt 130."""

    def __init__(self, *args: Any, example: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        self.example = example

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example as it is, unwrapped."""
        if self.example:
            formatter.write("\nExample:\n" + "".join(f"  {line}\n" for line in self.example.splitlines()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; say what went wrong in the way that its options ask for."""
        try:
            _require_text(ctx.params)
            return super().invoke(ctx)
        except RefusedError as refusal:
            _refuse(ctx, refusal)
        except UsageError as error:
            _tell_scripts(ctx, error, code=2)
            raise click.UsageError(str(error), ctx) from error
        except GcrError as error:
            _tell_scripts(ctx, error, code=1)
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)


class Group(click.Group):
    """A group of such commands, listed in the order in which they are written."""

    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names, unsorted."""
        return list(self.commands)


def _require_text(params: dict[str, Any]) -> None:
    """Refuse options that are no UTF-8; names of files may be any bytes."""
    for name, value in params.items():
        for word in value if isinstance(value, tuple) else (value,):
            if isinstance(word, str) and not word.isascii() and not word.encode(errors="replace").decode() == word:
                raise UsageError(f"--{name.replace('_', '-')} {word!r} is not UTF-8 text")


def _tell_scripts(ctx: click.Context, error: GcrError, code: int) -> None:
    """With --json, what went wrong is a document, too."""
    if ctx.params.get("as_json"):
        from .output import print_json

        print_json({"ok": False, "error": str(error)})
        ctx.exit(code)


def _refuse(ctx: click.Context, refusal: RefusedError) -> NoReturn:
    from .files import save_table
    from .output import show_refusal

    show_refusal(refusal, bool(ctx.params.get("as_json")))
    file = ctx.params.get("findings_file")
    try:
        if file is not None:
            save_table(refusal.findings, file)
    except OutputError as error:
        raise click.ClickException(str(error)) from error
    ctx.exit(1)


def options(*several: Callable[..., Any]) -> Callable[..., Any]:
    """Join option decorators into one; they are listed in the help in this order."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(several):
            function = option(function)
        return function

    return decorate
