"""Generates the reference page of a kind, from the same field tree as its CRD."""

from collections.abc import Iterable, Iterator
from typing import Final

from api.descriptor import KindDescriptor, LifeCycle
from api.fields import Field, KindFields
from api.form import Form
from api.meta import API_VERSION
from api.schema.structural import description_of, pattern_of

_HEADER: Final = "<!-- Made by `python -m hack.crds` from api/v1 and hack/snapshots. Do not edit: change those. -->"


def page(descriptor: KindDescriptor, fields: KindFields) -> str:
    """Return the page as Markdown: one table for `spec`, one for `status`."""
    return "\n".join(_lines(descriptor, fields)) + "\n"


def index(descriptors: Iterable[KindDescriptor]) -> str:
    """Return the index as Markdown: all kinds, with links to their pages."""
    lines = [
        _HEADER,
        "# API reference",
        "",
        f"All kinds of `{API_VERSION}`. `kubectl get sagemaker` lists the objects of all of them.",
        "",
        _row(["Kind", "`kubectl get`", "At AWS"]),
        _row(["---"] * 3),
    ]
    for kind in descriptors:
        names = ", ".join(f"`{name}`" for name in (kind.plural, *kind.short_names))
        lines.append(_row([f"[{kind.kind}]({kind.singular}.md)", names, f"`{kind.operations.create}`"]))
    return "\n".join(lines) + "\n"


def _lines(descriptor: KindDescriptor, fields: KindFields) -> Iterator[str]:
    operations = descriptor.operations
    yield _HEADER
    yield f"# {descriptor.kind}"
    yield ""
    yield f"`apiVersion: {API_VERSION}`, `kind: {descriptor.kind}`; `kubectl get {descriptor.plural}`."
    yield ""
    if operations.stop:
        end = f"`{operations.stop}` when the object is deleted before the job has ended"
    else:
        end = f"`{operations.delete}` when the object is deleted"
    yield f"The operator calls {_and([f'`{name}`' for name in operations.sending])} for it, and {end}."
    yield ""
    yield "A field whose AWS column is empty is the operator's own. `[]` stands for each item of a list."
    if len(operations.sending) > 1:
        yield "The first part of the AWS column is the operation; some members go to several."
    yield ""
    yield "## Spec"
    yield ""
    fixed = _and([f"`{name}`" for name in sorted(descriptor.compat.identity)])
    what = "The spec" if descriptor.life_cycle is LifeCycle.JOB else fixed
    yield (
        f"{what} cannot be changed once AWS has created something: delete the object and create it again, or use"
        " another name. What AWS has refused is corrected by an edit; empty values and defaults may come or go."
    )
    if descriptor.update:
        mutable = _and([f"`{path}`" for path in sorted(descriptor.update.paths())])
        where = "[changes of a job](../drift.md#changes-of-a-job-that-exists)"
        yield f"Only {mutable} can be changed then, by `{descriptor.update.operation}`: {where}."
    yield ""
    yield from _table(descriptor, fields.spec, with_limits=True)
    if descriptor.compat.required_unless:
        yield ""
        yield "<sup>1</sup> Unless what stands in its place is given:"
        yield ""
        for entry in descriptor.compat.required_unless:
            yield f"- `{entry.path}.{entry.field}`: {' or '.join(f'`{name}`' for name in entry.alternatives)}"
    if descriptor.compat.exclusive or descriptor.compat.rules:
        yield ""
        yield "Refused by the API server:"
        yield ""
        for excluding in descriptor.compat.exclusive:
            others = " or ".join(f"`{name}`" for name in excluding.others)
            yield f"- in `{excluding.path}`, `{excluding.field}` together with {others}"
        for rule in descriptor.compat.rules:
            yield f"- in `{rule.path}`: {rule.message}"
    yield ""
    yield "## Status"
    yield ""
    yield from _table(descriptor, fields.status, with_limits=False)


def _table(descriptor: KindDescriptor, root: Field, *, with_limits: bool) -> Iterator[str]:
    conditional = {f"{entry.path}.{entry.field}" for entry in descriptor.compat.required_unless}
    head = ["Field", "Type", "Required", "Limits", "AWS", "Description"]
    if not with_limits:
        head = ["Field", "Type", "AWS", "Description"]
    yield _row(head)
    yield _row(["---"] * len(head))
    for field, aws in _with_member_paths(root, "", by_operation=bool(descriptor.operations.further)):
        required = "yes" if field.required else "yes<sup>1</sup>" if field.path in conditional else ""
        cells = [f"`{field.path}`", _type(field), required, _limits(field), _code(aws), _escape(description_of(field))]
        if not with_limits:
            del cells[2:4]
        yield _row(cells)


def _with_member_paths(field: Field, prefix: str, *, by_operation: bool) -> Iterator[tuple[Field, str]]:
    """Yield each field below `field` with its AWS member's path, prefixed by its operation if there are several."""
    for child in field.fields:
        aws = f"{prefix}{child.member}" if child.member else child.like
        if by_operation and child.sent_by:
            aws = f"{child.sent_by[0]}.{aws}"
        yield child, aws
        below = child
        if child.form is Form.LIST and child.item is not None:
            below, aws = child.item, f"{aws}[]" if aws else child.item.like
        if child.form is not Form.PAIRS:
            yield from _with_member_paths(below, f"{aws}." if aws else "", by_operation=False)


def _type(field: Field) -> str:
    match field.form:
        case Form.STRUCTURE:
            return "name or object" if field.or_text else "object"
        case Form.LIST:
            return f"list of {_type(field.item)}s" if field.item else "list"
        case Form.PAIRS:
            return "list of {name, value}"
        case Form.TIME:
            return "time"
        case _:
            return str(field.form.value)


def _limits(field: Field) -> str:
    parts = []
    if field.enum:
        parts.append(" or ".join(f"`{value}`" for value in field.enum))
    noun = {Form.STRING: " character", Form.LIST: " item", Form.PAIRS: " item"}.get(field.form, "")
    least = field.minimum if field.minimum or not noun else None
    if least is not None and field.maximum is not None:
        parts.append(f"{least} to {_counted(field.maximum, noun)}")
    elif least is not None:
        parts.append(f"at least {_counted(least, noun)}")
    elif field.maximum is not None:
        parts.append(f"at most {_counted(field.maximum, noun)}")
    if pattern := pattern_of(field):
        parts.append(f"`{_escape(pattern)}`")
    return ", ".join(parts)


def _counted(number: float, noun: str) -> str:
    return f"{number}{noun}{'s' if noun and number != 1 else ''}"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _and(words: list[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
