"""Parses command lines by the rules of pflag, as kubectl and its plugins do; a table defines the flags.

Flags and arguments may be mixed; `--name value`, `--name=value`, `-n value`, `-nvalue`, `-fn value`; switches take a
value after `=` only. argparse supports neither `--switch=false` nor these messages, which users know from kubectl.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller import flags


class UsageError(Exception):
    """The command line is invalid; the message has kubectl's wording."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag; a switch if `placeholder` is empty."""

    name: str
    help: str
    short: str = ""
    placeholder: str = ""
    """The name of its value in the help text."""
    read: Callable[[str], Any] = flags.text
    """Parses the value; raises ValueError with a message that begins with "must"."""
    default: Any = ""

    @property
    def is_switch(self) -> bool:
        """Return whether the flag takes no value."""
        return not self.placeholder


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A parsed command line: a value for every flag of the table, and the arguments."""

    values: Mapping[str, Any]
    arguments: tuple[str, ...]
    given: tuple[tuple[Flag, Any], ...]
    """The given flags, in their order, with their values: a repeated flag occurs several times."""


def parse(table: Sequence[Flag], words: Iterable[str]) -> CommandLine:
    """Parse `words`; the last of several equal flags counts, `--` ends the flags. Raises `UsageError`."""
    by_name = {flag.name: flag for flag in table}
    by_short = {flag.short: flag for flag in table if flag.short}
    values = {flag.name: flag.default for flag in table}
    arguments: list[str] = []
    given: list[tuple[Flag, Any]] = []
    rest = list(reversed(list(words)))
    while rest:
        word = rest.pop()
        if word == "--":
            arguments += reversed(rest)
            break
        if word.startswith("--"):
            name, equals, text = word[2:].partition("=")
            flag = by_name.get(name)
            if flag is None:
                raise UsageError(f"unknown flag: --{name}")
            given.append((flag, _value(flag, f"--{name}", text if equals else None, rest)))
        elif word.startswith("-") and word != "-":
            for flag, attached in _cluster(by_short, word):
                given.append((flag, _value(flag, f"-{flag.short}, --{flag.name}", attached, rest)))
        else:
            arguments.append(word)
    values |= {flag.name: value for flag, value in given}
    return CommandLine(values, tuple(arguments), tuple(given))


def _cluster(by_short: Mapping[str, Flag], word: str) -> Iterable[tuple[Flag, str | None]]:
    """Yield the flags of `-fn`, `-nvalue`, `-n=value`; a flag with a value takes the rest of the word."""
    letters = word[1:]
    while letters:
        flag = by_short.get(letters[0])
        if flag is None:
            raise UsageError(f"unknown shorthand flag: {letters[0]!r} in {word}")
        letters = letters[1:]
        if letters.startswith("="):
            yield flag, letters[1:]
            return
        if letters and not flag.is_switch:
            yield flag, letters
            return
        yield flag, None


def _value(flag: Flag, shown: str, text: str | None, rest: list[str]) -> Any:
    """Return the value of a flag: from `text`, or the next word, which is removed from `rest`."""
    if text is None:
        if flag.is_switch:
            return True
        if not rest:
            raise UsageError(f"flag needs an argument: {shown}")
        text = rest.pop()
    try:
        return flags.switch(text) if flag.is_switch else flag.read(text)
    except ValueError as exc:
        raise UsageError(f'invalid argument "{text}" for "{shown}" flag: {exc}') from exc
