"""``keguan``: the group of all commands, the plugins' own groups, and what becomes of errors."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click

from keguan import __version__
from keguan.cli.app import App
from keguan.errors import KeguanError

__all__ = ["cli", "main"]

_COMMANDS = {  # command → the module that holds it; listed in the order of a working life
    "demo": "demo",
    "init": "setup",
    "run": "daemon",
    "tick": "work",
    "dispatch": "work",
    "import": "intake",
    "emit": "intake",
    "intake": "arrivals",
    "events": "events",
    "journey": "journey",
    "yearplan": "yearplan",
    "plans": "plans",
    "tasks": "tasks",
    "staff": "staff",
    "forms": "forms",
    "registers": "registers",
    "outbox": "outbox",
    "checks": "checks",
    "plugins": "plugins",
    "preview": "rehearse",
    "simulate": "simulate",
    "diff": "diff",
    "templates": "templates",
    "codes": "codes",
    "status": "status",
    "health": "health",
    "doctor": "doctor",
    "rehearsal": "rehearse",
    "customers": "customers",
    "replies": "replies",
    "privacy": "privacy",
    "db": "database",
    "calendar": "calendar",
}


class _Commands(click.Group):
    """Loads a command's module when it is asked for, and a plugin only when its own group is."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the core's commands, then the groups of installed plugins. Imports no plugin."""
        from keguan.plugins.discovery import installed_names

        return [*_COMMANDS, *(name for name in installed_names() if name not in _COMMANDS)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command of the core, or the group made of a plugin's own commands."""
        module = _COMMANDS.get(cmd_name)
        if module is not None:
            found = getattr(import_module(f"keguan.cli.{module}"), f"{cmd_name}_command")
            assert isinstance(found, click.Command)
            return found
        from keguan.cli.plugin_group import plugin_group

        return plugin_group(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for one that there is not, name the nearest."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            from keguan.nearest import nearest

            near = nearest(args[0], self.list_commands(ctx))
            if near is None:
                raise
            ctx.fail(f"No such command '{args[0]}', did you mean '{near}'?")


_NO_COMMAND: tuple[type[click.ClickException], ...] = tuple(
    filter(None, [getattr(click.exceptions, "NoArgsIsHelpError", None)])  # older releases print the help themselves
)
"""A group was named and none of its commands: its help says which there are."""


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="keguan")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration file; else $KEGUAN_CONFIG.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output and nothing else.")
@click.option("--at", metavar="INSTANT", help="Rehearse as of this instant, on a copy of the database.")
@click.option("--lang", type=click.Choice(["zh", "en"]), help="The language of answers; else that of the config.")
@click.option("-v", "--verbose", is_flag=True, help="Show tracebacks and debug lines.")
@click.pass_context
def cli(
    ctx: click.Context, config: Path | None, *, as_json: bool, at: str | None, lang: str | None, verbose: bool
) -> None:
    """Customer-care promises of property companies: planned, kept and proven."""
    ctx.obj = App(
        config=config, as_json=as_json, at=at, lang="en" if lang == "en" else "zh" if lang else None, verbose=verbose
    )
    ctx.call_on_close(ctx.obj.close)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process: 0 done, 1 failed or rejected, 2 wrong usage or configuration."""
    os.umask(os.umask(0o027) | 0o027)  # what is written holds people: nothing of it is for everybody on the machine
    words = list(sys.argv[1:] if arguments is None else arguments)
    verbose = any(word in ("-v", "--verbose") for word in words)
    try:
        status = cli.main(args=words, prog_name="keguan", standalone_mode=False)
    except click.exceptions.Abort:
        status = 130
    except click.exceptions.Exit as leaving:
        status = leaving.exit_code
    except click.ClickException as wrong:
        _say(wrong.format_message() if isinstance(wrong, _NO_COMMAND) else _usage_line(wrong))
        status = 2
    except KeguanError as wrong:
        status = _explain(wrong, words, verbose=verbose)
    except BrokenPipeError:
        # The reader of our output went away (`keguan events list | head`): nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except Exception as defect:  # noqa: BLE001 - no traceback reaches a user
        status = 1
        if verbose:
            traceback.print_exc()
        _say(f"error: {type(defect).__name__} (keguan {__version__}): this is a defect; -v shows where")
    sys.exit(status if isinstance(status, int) else 0)


def _explain(wrong: KeguanError, words: Sequence[str], *, verbose: bool) -> int:
    """Say what is wrong in the user's language, one line for each mistake."""
    from keguan.cli.app import language_of
    from keguan.texts import text

    if verbose:
        traceback.print_exc()
        detail = getattr(wrong, "traceback_text", None)
        if detail:
            _say(str(detail))
    language = language_of(words)
    for mistake in getattr(wrong, "mistakes", None) or getattr(wrong, "errors", None) or [wrong]:
        _say("error: " + text(language, mistake.key, **mistake.values))
    return wrong.exit_code


def _usage_line(wrong: click.ClickException) -> str:
    """Return click's complaint in the form of every other error."""
    context = getattr(wrong, "ctx", None)
    where = context.command_path if context is not None else "keguan"
    what = wrong.format_message().rstrip(".").replace("\n", " ")
    return f"error: {what} ({where}): see `{where} --help`"


def _say(line: str) -> None:
    click.echo(line, err=True)
