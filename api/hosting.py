"""Derives the specs of a HostingDeployment's child Models and child EndpointConfig.

Manifests have two forms. In the guides' form, models reference containers in `spec.containers` by name; in the later
one they define them inline. Either works; a manifest with both is ambiguous, so it is refused. Source: v1-kinds.md
12.4.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from api.convert import ConversionError, unknown_fields
from api.fields import Field, installed
from api.meta import JsonObject
from api.v1.hostingdeployment import HOSTING_DEPLOYMENT
from api.v1.model import MODEL

_SHARED: Final = ("region", "sageMakerEndpoint", "tags")
"""Fields of a deployment that apply to all its resources."""
_VARIANTS: Final = ("productionVariants", "shadowProductionVariants")
_HOSTNAME: Final = "containerHostname"


@dataclass(frozen=True, slots=True)
class WantedModel:
    """A child Model: its name within the deployment, and its spec."""

    name: str
    spec: JsonObject


@dataclass(frozen=True, slots=True)
class Resolved:
    """The desired children of a deployment. Shares no data with the deployment's spec."""

    models: tuple[WantedModel, ...]
    """In the order of the manifest."""
    configuration: JsonObject
    """Spec of the EndpointConfig; its variants' models still have their names within the deployment."""
    ignored: tuple[str, ...]
    """Ignored fields, each as `path: why`, to show to the user; v1 did not treat them as errors."""

    def configuration_with(self, model_names: Mapping[str, str]) -> JsonObject:
        """Return the EndpointConfig's spec with AWS's model names; `model_names` maps from names within the deployment.

        Raises KeyError for a missing model.
        """
        renamed = {
            field: [
                {**variant, "modelName": model_names[variant["modelName"]]} if variant.get("modelName") else variant
                for variant in self.configuration[field]
            ]
            for field in _VARIANTS
            if field in self.configuration
        }
        return self.configuration | renamed


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem that prevents deriving the children, and its path in the manifest."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class HostingError(ConversionError):
    """A deployment without valid children. `path` is the first problem's, `message` lists all of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first, *others = problems
        super().__init__(first.path, "; ".join([first.message, *map(str, others)]))
        self.problems = tuple(problems)


def resolve(spec: Mapping[str, Any]) -> Resolved:
    """Return the children for the spec of a HostingDeployment.

    Raises HostingError with every problem at once: unknown names, duplicate names, mixed forms, models without
    containers, containers without a name; ConversionError if a value has the wrong type. Thread-safe.
    """
    defined = _objects(spec.get("containers"), "spec.containers")
    models = [_model(entry, n, defined) for n, entry in enumerate(_objects(spec.get("models"), "spec.models"))]
    if problems := [
        *_form_problems(models, defined),
        *(problem for model in models for problem in model.problems()),
        *_name_problems(models),
        *_reference_problems(spec, models),
    ]:
        raise HostingError(problems)
    shared = {name: spec[name] for name in _SHARED if spec.get(name)}
    wanted = tuple(WantedModel(model.name, _copy({**model.spec(), **shared})) for model in models)
    return Resolved(wanted, _copy({**_configuration(spec), **shared}), tuple(_ignored(models, defined)))


@dataclass(frozen=True, slots=True)
class _Model:
    """An entry of `spec.models`."""

    path: str
    entry: Mapping[str, Any]
    name: str
    primary: str
    names: tuple[str, ...]
    """Names of the containers that it references."""
    inline: tuple[Mapping[str, Any], ...]
    """Containers that it defines."""
    defined: Mapping[str, Mapping[str, Any]]
    """The containers by name."""

    def spec(self) -> JsonObject:
        """Return the Model's spec: one container is the primary one, several run in order, ignoring primaryContainer.

        Raises KeyError if there are problems.
        """
        common = {field.name for field in installed(MODEL).spec.fields} - {"containers", "primaryContainer", *_SHARED}
        result = {name: self.entry[name] for name in sorted(common) if self.entry.get(name) is not None}
        containers = self.inline or tuple(self.defined[name] for name in self.names)
        return result | ({"primaryContainer": containers[0]} if len(containers) == 1 else {"containers": containers})

    def problems(self) -> Iterator[Problem]:
        """Yield the problems of this model alone."""
        path = f"{self.path}.containers"
        if self.names and self.inline:
            yield Problem(path, "mixes names of containers with definitions: use one form in the whole manifest")
            return
        if not self.names and not self.inline:
            yield Problem(path, "Required value: a model has at least one container")
        yield from _hostname_problems(self.inline, path)
        for name, count in Counter(self.names).items():
            if name not in self.defined:
                yield Problem(
                    path, f"{_quoted(name)} is no {_HOSTNAME} in spec.containers (there: {_listed(self.defined)})"
                )
            elif count > 1:
                yield Problem(path, f"{_quoted(name)} is named {count} times")
        own = self.names or tuple(container.get(_HOSTNAME) or "" for container in self.inline)
        if self.primary and own and self.primary not in own:
            yield Problem(
                f"{self.path}.primaryContainer",
                f"{_quoted(self.primary)} is none of the model's containers (there: {_listed(own)})",
            )


def _model(entry: Mapping[str, Any], n: int, defined: Sequence[Mapping[str, Any]]) -> _Model:
    path = f"spec.models[{n}]"
    given = entry.get("containers") or ()
    if not isinstance(given, list | tuple) or not all(isinstance(item, str | Mapping) for item in given):
        raise ConversionError(f"{path}.containers", "must be a list of names of containers, or of their definitions")
    primary = _text(entry, "primaryContainer", path)
    names = tuple(item for item in given if isinstance(item, str))
    return _Model(
        path=path,
        entry=entry,
        name=_text(entry, "name", path),
        primary=primary,
        # In the guides' form, a model of one container may have only primaryContainer.
        names=(primary,) if not given and primary else names,
        inline=tuple(item for item in given if not isinstance(item, str)),
        defined={hostname: item for item in defined if (hostname := _text(item, _HOSTNAME, "spec.containers[]"))},
    )


def _form_problems(models: Sequence[_Model], defined: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    inline = [model.path for model in models if model.inline]
    if inline and defined:
        verb = "defines" if len(inline) == 1 else "define"
        yield Problem(
            "spec.containers",
            f"holds containers for models to name, but {_listed(inline)} {verb} containers inline: use one form in the"
            " whole manifest",
        )
    yield from _hostname_problems(defined, "spec.containers")


def _hostname_problems(containers: Sequence[Mapping[str, Any]], path: str) -> Iterator[Problem]:
    hostnames = [_text(container, _HOSTNAME, f"{path}[{n}]") for n, container in enumerate(containers)]
    for n, hostname in enumerate(hostnames):
        if not hostname:
            yield Problem(f"{path}[{n}].{_HOSTNAME}", "Required value: containers are known by it")
    for hostname, count in Counter(hostnames).items():
        if hostname and count > 1:
            yield Problem(path, f"{count} containers have the {_HOSTNAME} {_quoted(hostname)}")


def _name_problems(models: Sequence[_Model]) -> Iterator[Problem]:
    for model in models:
        if not model.name:
            yield Problem(f"{model.path}.name", "Required value: variants refer to models by it")
    for name, count in Counter(model.name for model in models).items():
        if name and count > 1:
            yield Problem("spec.models", f"{count} models have the name {_quoted(name)}")


def _reference_problems(spec: Mapping[str, Any], models: Sequence[_Model]) -> Iterator[Problem]:
    names = [model.name for model in models]
    for field in _VARIANTS:
        for n, variant in enumerate(_objects(spec.get(field), f"spec.{field}")):
            name = _text(variant, "modelName", f"spec.{field}[{n}]")
            if name and name not in names:
                yield Problem(
                    f"spec.{field}[{n}].modelName",
                    f"{_quoted(name)} is no name in spec.models (there: {_listed(names)})",
                )


def _configuration(spec: Mapping[str, Any]) -> JsonObject:
    fields = installed(HOSTING_DEPLOYMENT).spec.fields
    names = [field.name for field in fields if "CreateEndpointConfig" in field.sent_by]
    return {name: spec[name] for name in names if spec.get(name) is not None}


def _ignored(models: Sequence[_Model], defined: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    # The API server accepts unknown fields of inline containers, as their schema has no type; v1's dropped them.
    container = _inline_container()
    for model in models:
        for n, inline in enumerate(model.inline):
            for path in unknown_fields(container, inline, f"{model.path}.containers[{n}]"):
                yield f"{path}: unknown field"
    named = {name for model in models for name in model.names}
    for n, unused in enumerate(defined):
        if unused[_HOSTNAME] not in named:
            yield f"spec.containers[{n}]: no model names {_quoted(unused[_HOSTNAME])}"


@cache
def _inline_container() -> Field:
    fields = installed(HOSTING_DEPLOYMENT).spec.walk()
    return next(field for field in fields if field.path == "spec.models[].containers[]")


def _objects(value: Any, path: str) -> Sequence[Mapping[str, Any]]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(item, Mapping) for item in value):
        raise ConversionError(path, "must be a list of objects")
    return value


def _text(holder: Mapping[str, Any], name: str, path: str) -> str:
    value = holder.get(name)
    if value is not None and not isinstance(value, str):
        raise ConversionError(f"{path}.{name}", "must be a string")
    return value or ""


def _quoted(name: str) -> str:
    return f'"{name}"'


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(item) for item in value]
    return value
