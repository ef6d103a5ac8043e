"""Generates `api/client/models`: each kind's manifest as typed dictionaries, from the schema of its CRD.

A manifest is a dictionary with the keys of its YAML, so there is nothing to convert, and no second form to learn. Type
checkers and editors know the fields, their types, and the values that the schema lists.
"""

import keyword
import re
import textwrap
from collections.abc import Iterable, Mapping
from typing import Final

from api.descriptor import KindDescriptor
from api.meta import API_VERSION, VERSION, JsonObject

HEADER: Final = '"""Made by `python -m hack.crds` from api/v1 and hack/snapshots. Do not edit: change those.\n'
_WIDTH: Final = 112
_LENGTH: Final = 300
"""Characters of a description that are kept: docs/api has all of it."""
_SCALARS: Final[Mapping[str, str]] = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
_TYPING: Final = ("Any", "Literal", "Required", "TypedDict")
_TAKEN: Final = frozenset({*_TYPING, "Metadata"})


def module(descriptor: KindDescriptor, crd: JsonObject) -> str:
    """Return the module of a kind."""
    (version,) = crd["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    classes = _Classes(f"Part of a {descriptor.kind}.")
    for part in ("Spec", "Status"):
        classes.add((descriptor.kind, part), schema["properties"][part.lower()])
    body = "\n\n\n".join([*classes.texts, _manifest(descriptor, schema["description"])])
    used = ", ".join(name for name in _TYPING if re.search(rf"\b{name}\b", body))
    text = f'{HEADER}\nThe manifests of {descriptor.kind}, `{API_VERSION}`.\n"""\n\nfrom typing import {used}\n\n'
    return f"{text}from api.client.models.metadata import Metadata\n\n\n{body}\n"


def index(descriptors: Iterable[KindDescriptor]) -> str:
    """Return the `__init__` of the models: every kind, and the union of all."""
    kinds = sorted(descriptors, key=lambda each: each.singular)
    imports = [f"from api.client.models.{each.singular} import {each.kind}" for each in kinds]
    imports.append("from api.client.models.metadata import Metadata")
    names = [each.kind for each in kinds]
    exported = "\n".join(f'    "{name}",' for name in sorted([*names, "Manifest", "Metadata"]))
    lines = [
        f'{HEADER}\nManifests of `{API_VERSION}` as typed dictionaries, one module per kind.\n"""\n',
        "from typing import TypeAlias\n",
        "\n".join(sorted(imports)),
        "",
        "Manifest: TypeAlias = (",
        "    " + "\n    | ".join(names),
        ")",
        f'"""An object of any kind of {VERSION}."""',
        "",
        f"__all__ = [\n{exported}\n]",
    ]
    return "\n".join(lines) + "\n"


def _manifest(descriptor: KindDescriptor, description: str) -> str:
    kind = descriptor.kind
    return f"""class {kind}(TypedDict, total=False):
{_docstring(description)}

    apiVersion: Required[Literal["{API_VERSION}"]]
    kind: Required[Literal["{kind}"]]
    metadata: Required[Metadata]
    spec: Required[{kind}Spec]
    status: {kind}Status"""


class _Classes:
    """The classes of a module, in an order in which each is there before it is used.

    A class has the name of its field, after the names of the fields around it as far as others have that name. What
    has the same fields has one class.
    """

    def __init__(self, unnamed: str) -> None:
        self.texts: list[str] = []
        self._unnamed = unnamed
        self._names: dict[str, list[str]] = {}  # name -> its fields, without their descriptions

    def add(self, path: tuple[str, ...], schema: JsonObject) -> str:
        """Add the class of an object, and before it those of what is nested in it; return its name."""
        required = schema.get("required", ())
        lines, fields = [], []
        for field, below in schema["properties"].items():
            if keyword.iskeyword(field) or not field.isidentifier():
                raise ValueError(f"{'.'.join(path)}.{field} needs the functional form of TypedDict")
            kind = self._type((*path, field[0].upper() + field[1:]), below)
            fields.append(f"    {field}: {f'Required[{kind}]' if field in required else kind}")
            lines.append(fields[-1])
            if text := below.get("description"):
                lines.append(_docstring(text))
        name = self._name(path, fields)
        if name not in self._names:
            self._names[name] = fields
            described = _docstring(schema.get("description", self._unnamed))
            self.texts.append(f"class {name}(TypedDict, total=False):\n{described}\n\n" + "\n".join(lines))
        return name

    def _name(self, path: tuple[str, ...], fields: list[str]) -> str:
        shortest = 2 if len(path) == 2 else 1  # TrainingJobSpec
        for length in range(shortest, len(path) + 1):
            name = "".join(path[-length:])
            if name not in _TAKEN and self._names.get(name, fields) == fields:
                return name
        raise ValueError(f"no name for {path}")

    def _type(self, path: tuple[str, ...], schema: JsonObject) -> str:
        kind = schema.get("type", "")
        if schema.get("properties"):
            found = self.add(path, schema)
        elif kind == "array":
            found = f"list[{self._type(path, schema['items'])}]"
        elif kind == "object":
            below = schema.get("additionalProperties")
            found = f"dict[str, {self._type(path, below) if isinstance(below, dict) else 'Any'}]"
        elif kind == "string" and (values := schema.get("enum")):
            found = "Literal[" + ", ".join(f'"{value}"' for value in values) + "]"
        else:
            found = _SCALARS.get(kind, "Any")
        return f"{found} | None" if schema.get("nullable") else found


def _docstring(text: str) -> str:
    """Return the first sentences of a description as an indented docstring."""
    sentences = re.split(r"(?<=[.!?]) ", " ".join(text.split()))
    kept = sentences[0]
    for sentence in sentences[1:]:
        if len(kept) + len(sentence) >= _LENGTH:
            break
        kept += f" {sentence}"
    kept = kept.replace("\\", "\\\\").replace('"', "'")
    if not kept.endswith((".", "!", "?", ":", "'")):
        kept += "."
    lines = textwrap.wrap(kept, _WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    quoted = '"""' + "\n".join([lines[0], *lines[1:]]) + ('"""' if len(lines) == 1 else '\n"""')
    return textwrap.indent(quoted, "    ")
