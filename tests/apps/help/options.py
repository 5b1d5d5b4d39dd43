"""What the verbs of the command line take."""

from noiseless.apps.cli.help_pages import command_of


def long_names(verb):
    return {name for parameter in command_of(verb).params for name in parameter.opts if name.startswith("--")}
