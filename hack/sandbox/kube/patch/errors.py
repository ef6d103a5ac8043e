"""What goes wrong with a patch, as the parts of the Status that a client gets."""


class PatchError(Exception):
    """A patch that cannot be applied: HTTP status code, machine-readable reason (may be empty) and message."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message


def bad_request(message: str) -> PatchError:
    """The patch itself is malformed."""
    return PatchError(400, "BadRequest", message)


def go_kind(value: object) -> str:
    """The JSON type of a value, as Go's decoder names it in `cannot unmarshal … into …`."""
    match value:
        case bool():
            return "bool"
        case str():
            return "string"
        case int() | float():
            return "number"
        case list():
            return "array"
        case dict():
            return "object"
    return "null"
