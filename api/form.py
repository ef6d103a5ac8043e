"""The forms a value can take in a manifest."""

from enum import Enum


class Form(Enum):
    """How a value is written in a manifest; a field has a separate AWS form if the two differ."""

    STRUCTURE = "structure"
    LIST = "list"
    PAIRS = "pairs"
    """A map of strings, written in manifests as a list of `{name, value}`."""
    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIME = "time"
    """RFC 3339 text in manifests, a timestamp at AWS."""
