"""Checks names, labels and annotations, with the API server's messages.

Source: k8s.io/apimachinery pkg/util/validation and pkg/api/validation/path.
"""

import re
from typing import Final

_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_1035: Final = "[a-z]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE: Final = f"({_QUALIFIED})?"
_CONFIG_KEY: Final = "[-._a-zA-Z0-9]+"
SUBDOMAIN_MAX: Final = 253
LABEL_MAX: Final = 63


def _regex_hint(message: str, pattern: str, *examples: str) -> str:
    shown = ",  or ".join(f"'{example}'" for example in examples)
    return f"{message} (e.g. {shown}, regex used for validation is '{pattern}')"


def _too_long(maximum: int, unit: str = "characters") -> str:
    """Return the message on length: the API server counts names in characters, labels in bytes; both are ASCII."""
    return f"must be no more than {maximum} {unit}"


def subdomain_problems(name: str) -> list[str]:
    """Check an RFC 1123 subdomain: the rule for the names of most objects."""
    problems = [_too_long(SUBDOMAIN_MAX)] if len(name.encode()) > SUBDOMAIN_MAX else []
    if not re.fullmatch(_SUBDOMAIN, name):
        message = (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
            "and must start and end with an alphanumeric character"
        )
        problems.append(_regex_hint(message, _SUBDOMAIN, "example.com"))
    return problems


def label_problems(name: str) -> list[str]:
    """Check an RFC 1123 label: the rule for namespaces."""
    problems = [_too_long(LABEL_MAX)] if len(name.encode()) > LABEL_MAX else []
    if not re.fullmatch(_LABEL, name):
        if re.fullmatch(_SUBDOMAIN, name):
            problems.append("must not contain dots")
        else:
            message = (
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
                "and must start and end with an alphanumeric character"
            )
            problems.append(_regex_hint(message, _LABEL, "my-name", "123-abc"))
    return problems


def label_1035_problems(name: str) -> list[str]:
    """Check an RFC 1035 label: the rule for services."""
    problems = [_too_long(LABEL_MAX)] if len(name.encode()) > LABEL_MAX else []
    if not re.fullmatch(_LABEL_1035, name):
        message = (
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
            "character, and end with an alphanumeric character"
        )
        problems.append(_regex_hint(message, _LABEL_1035, "my-name", "abc-123"))
    return problems


def path_segment_problems(name: str) -> list[str]:
    """Check that a name can be part of a URL: the minimum for every name, and the whole rule for RBAC objects."""
    if name in (".", ".."):
        return [f"may not be '{name}'"]
    return [f"may not contain '{character}'" for character in "/%" if character in name]


def label_key_problems(key: str) -> list[str]:
    """Check a qualified name: an optional DNS prefix, a slash, and a name."""
    prefix, slash, name = key.rpartition("/")
    problems = []
    if "/" in prefix:
        message = (
            "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
            "an alphanumeric character"
        )
        hint = _regex_hint(message, _QUALIFIED, "MyName", "my.name", "123-abc")
        return [f"{hint} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    if slash and not prefix:
        problems.append("prefix part must be non-empty")
    elif slash:
        problems += [f"prefix part {problem}" for problem in subdomain_problems(prefix)]
    if not name:
        problems.append("name part must be non-empty")
    elif len(name.encode()) > LABEL_MAX:
        problems.append(f"name part {_too_long(LABEL_MAX, 'bytes')}")
    if not re.fullmatch(_QUALIFIED, name):
        message = (
            "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
            "alphanumeric character"
        )
        problems.append(_regex_hint(message, _QUALIFIED, "MyName", "my.name", "123-abc"))
    return problems


def label_value_problems(value: str) -> list[str]:
    """Check a label value: empty, or like a name."""
    problems = [_too_long(LABEL_MAX, "bytes")] if len(value.encode()) > LABEL_MAX else []
    if not re.fullmatch(_VALUE, value):
        message = (
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
            "start and end with an alphanumeric character"
        )
        problems.append(_regex_hint(message, _VALUE, "MyValue", "my_value", "12345"))
    return problems


def config_key_problems(key: str) -> list[str]:
    """Check a key of a ConfigMap or Secret: also the name of a file in a volume."""
    problems = [_too_long(SUBDOMAIN_MAX)] if len(key.encode()) > SUBDOMAIN_MAX else []
    if not re.fullmatch(_CONFIG_KEY, key):
        message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        problems.append(_regex_hint(message, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    elif key.startswith(".."):
        problems.append("must not be '..'" if key == ".." else "must not start with '..'")
    elif key == ".":
        problems.append("must not be '.'")
    return problems
