"""Parses and completes the selection of kinds that a process serves: `--kinds`."""

from collections.abc import Iterable

from api.descriptor import KindDescriptor
from api.v1 import KINDS


def parse_kinds(text: str) -> tuple[str, ...]:
    """Parse comma-separated kinds, as kubectl accepts them; returns each once, in the order of `KINDS`.

    Raises ValueError for what is no kind of the operator.
    """
    known = {name.lower(): kind.kind for kind in KINDS for name in (kind.kind, kind.plural, *kind.short_names)}
    named = set()
    for word in filter(None, (part.strip() for part in text.split(","))):
        if word.lower() not in known:
            from difflib import get_close_matches  # noqa: PLC0415 (needed for a typo only)

            near = get_close_matches(word.lower(), known, n=1)
            meant = f" (did you mean {known[near[0]]}?)" if near else ""
            there = ", ".join(kind.kind for kind in KINDS)
            raise ValueError(f"must be kinds of the operator, not {word!r}{meant}; there are {there}")
        named.add(known[word.lower()])
    return tuple(kind.kind for kind in KINDS if kind.kind in named)


def selected(names: Iterable[str], kinds: Iterable[KindDescriptor] = KINDS) -> tuple[KindDescriptor, ...]:
    """Return the named kinds, or all for no name, with the kinds of the objects that their reconcilers create."""
    known = {kind.kind: kind for kind in kinds}
    wanted = [known[name] for name in names] or list(known.values())
    for kind in wanted:  # also those that are appended
        wanted += [known[child] for child in kind.children if known[child] not in wanted]
    return tuple(kind for kind in known.values() if kind in wanted)
