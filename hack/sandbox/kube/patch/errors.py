"""Errors of a patch, as the parts of the client's Status."""


class PatchError(Exception):
    """A patch that cannot be applied: HTTP status code, machine-readable reason (may be empty) and message."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message


def bad_request(message: str) -> PatchError:
    """Return the error for a malformed patch."""
    return PatchError(400, "BadRequest", message)


def go_kind(value: object) -> str:
    """Return the JSON type of a value, as Go's decoder writes it in `cannot unmarshal … into …`."""
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
