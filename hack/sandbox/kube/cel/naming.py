"""Named formats: `format.dns1123Label().validate(name)`. Source: k8s.io/apiserver pkg/cel/library/format.go."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Final

from hack.sandbox.kube.cel.registry import LIBRARY
from hack.sandbox.kube.cel.values import NONE, Optional
from hack.sandbox.kube.schema import formats

_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035: Final = "[a-z]([-a-z0-9]*[a-z0-9])?"
_VALUE: Final = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_NAME: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_RULE: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    f"an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
_SUBDOMAIN_RULE: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_LABEL_1035_RULE: Final = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    f"'{_LABEL_1035}')"
)
_VALUE_RULE: Final = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    f"'{_VALUE}')"
)
_NAME_RULE: Final = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    f"character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_NAME}')"
)


@dataclass(frozen=True, slots=True)
class NamedFormat:
    """A named check of strings, which returns the problems of one."""

    cel_type: ClassVar[str] = "kubernetes.NamedFormat"
    name: str
    problems: Callable[[str], list[str]] = field(compare=False)


def _matching(pattern: str, rule: str, longest: int, *, prefix: bool = False) -> Callable[[str], list[str]]:
    compiled = re.compile(pattern)

    def problems(text: str) -> list[str]:
        found = [f"must be no more than {longest} bytes"] if len(text) > longest else []
        subject = f"{text[:-1]}a" if prefix and text.endswith("-") else text
        return found if compiled.fullmatch(subject) else [*found, rule]

    return problems


def _qualified_name(text: str) -> list[str]:
    *prefix, name = text.split("/")
    if len(prefix) > 1:
        return [
            f"a qualified name {_NAME_RULE.removeprefix('name part ')} with an optional DNS subdomain prefix and '/'"
        ]
    found = [f"prefix part {problem}" for each in prefix for problem in _SUBDOMAIN_FORMAT(each)]
    return found + _matching(_NAME, _NAME_RULE, 63)(name)


def _by_schema(name: str, problem: str) -> Callable[[str], list[str]]:
    accepts = formats.checker(name)
    return lambda text: [] if accepts is None or accepts(text) else [problem]


_SUBDOMAIN_FORMAT: Final = _matching(_SUBDOMAIN, _SUBDOMAIN_RULE, 253)
_FORMATS: Final = {
    each.name: each
    for each in (
        NamedFormat("dns1123Label", _matching(_LABEL, _LABEL_RULE, 63)),
        NamedFormat("dns1123Subdomain", _SUBDOMAIN_FORMAT),
        NamedFormat("dns1035Label", _matching(_LABEL_1035, _LABEL_1035_RULE, 63)),
        NamedFormat("dns1123LabelPrefix", _matching(_LABEL, _LABEL_RULE, 63, prefix=True)),
        NamedFormat("dns1123SubdomainPrefix", _matching(_SUBDOMAIN, _SUBDOMAIN_RULE, 253, prefix=True)),
        NamedFormat("dns1035LabelPrefix", _matching(_LABEL_1035, _LABEL_1035_RULE, 63, prefix=True)),
        NamedFormat("labelValue", _matching(_VALUE, _VALUE_RULE, 63)),
        NamedFormat("qualifiedName", _qualified_name),
        NamedFormat("uri", _by_schema("uri", "invalid URI")),
        NamedFormat("uuid", _by_schema("uuid", "does not match the UUID format")),
        NamedFormat("byte", _by_schema("byte", "invalid base64")),
        NamedFormat("date", _by_schema("date", "invalid date")),
        NamedFormat("datetime", _by_schema("datetime", "invalid datetime")),
    )
}


def _declare(named: NamedFormat) -> None:
    @LIBRARY.function(f"format.{named.name}(): kubernetes.NamedFormat")
    def _get() -> NamedFormat:
        return named


for _each in _FORMATS.values():
    _declare(_each)


@LIBRARY.function("format.named(string): optional_type(kubernetes.NamedFormat)")
def _named(name: str) -> Optional:
    return Optional((_FORMATS[name],)) if name in _FORMATS else NONE


@LIBRARY.function("<kubernetes.NamedFormat>.validate(string): optional_type(list(string))")
def _validate(named: NamedFormat, text: str) -> Optional:
    problems = named.problems(text)
    return Optional((problems,)) if problems else NONE
