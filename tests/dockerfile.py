"""Reads our Dockerfile: its stages, and the instructions of each."""

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

DOCKERFILE = Path(__file__).resolve().parents[1] / "Dockerfile"


@dataclass(frozen=True)
class Stage:
    """One FROM and what follows it, in order: pairs of instruction and the rest of its line."""

    base: str
    name: str
    instructions: tuple[tuple[str, str], ...]

    def all(self, instruction: str) -> list[str]:
        """Arguments of every such instruction."""
        return [rest for word, rest in self.instructions if word == instruction]

    def one(self, instruction: str) -> str:
        """Arguments of an instruction that must be there once."""
        (rest,) = self.all(instruction)
        return rest

    def form(self, instruction: str) -> list[str]:
        """The words of an instruction that must be in exec form, since there is no shell to take it apart."""
        words: list[str] = json.loads(self.one(instruction))
        return words

    def variables(self, instruction: str) -> dict[str, str]:
        """What ENV, ARG or LABEL instructions set."""
        pairs = [part.partition("=") for rest in self.all(instruction) for part in shlex.split(rest)]
        return {name: value for name, _, value in pairs}


def stages(text: str) -> tuple[dict[str, str], list[Stage]]:
    """Arguments that stand before the first stage with their defaults, and the stages."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    words = [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]
    starts = [place for place, (word, _) in enumerate(words) if word == "FROM"]
    before = Stage("", "", tuple(words[: starts[0]])).variables("ARG")
    made = []
    for start, end in zip(starts, [*starts[1:], len(words)], strict=True):
        base, _, name = words[start][1].partition(" AS ")
        made.append(Stage(base, name, tuple(words[start + 1 : end])))
    return before, made
