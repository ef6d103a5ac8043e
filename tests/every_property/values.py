"""Values for a property, from its schema and its shape at AWS: valid ones, and ones that somebody has to refuse."""

import random
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, Final

import hypothesis
from botocore.model import ListShape, MapShape, Shape, StructureShape
from hypothesis import strategies as st

from hack.sandbox.aws.records.validation import compiled
from tests.every_property.oracle import CONFIG_MAPS, Path_, definition
from tests.every_property.places import shape_of

_TEXTS: Final = (
    "a1",
    "b-2",
    "true",
    "10",
    "1e3",
    "null",
    "~",
    "a b",
    " x ",
    "ü€𝄞",
    "a: b",
    "{{x}}",
    "$[1:]",
    "s3://bucket/path",
    "s3://other/path/x",
    "https://s3-us-east-2.amazonaws.com/bucket/x",
    "arn:aws:iam::123456789012:role/r",
    "arn:aws:iam::123456789012:role/service-role/s",
    "arn:aws:kms:us-east-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws:sagemaker:us-east-2:123456789012:model-package/p/1",
    "arn:aws:sagemaker:us-east-2:123456789012:training-plan/p",
    "arn:aws:sns:us-east-2:123456789012:topic",
    "123456789012.dkr.ecr.us-east-2.amazonaws.com/image:1",
    "/opt/ml/x",
    "sg-0123",
    "subnet-0123",
    "2030-01-02T03:04:05Z",
)
"""Texts that mean something somewhere, or that a careless reader takes for something else than text."""
_TIMES: Final = ("2031-01-02T03:04:05Z", "2032-11-12T13:14:15Z")
_WRONG: Final[Mapping[str, tuple[Any, ...]]] = {
    "object": ("x", 5, []),
    "array": ("x", 5, {"x": 5}),
    "string": (5, True, ["x"], {"x": 5}),
    "integer": ("5", 1.5, True, [], 2**64),
    "number": ("x", True, {}),
    "boolean": ("true", 1, [True]),
}
_UNLIKELY: Final = "\x00"
MODELS: Final = ("xgboost-mnist", "other-model")
"""Models that are at AWS already."""
ENDPOINT: Final = "host-xgboost-multi-model"
VARIANTS: Final = ("proven", "challenger")
NEWEST: Final = "newest"
"""An endpoint that is at AWS already, and its variants: those of the sample, and one more."""
SHARED: Final = "shared"
SHARED_VARIANT: Final = "all"
"""An endpoint without models that is at AWS already, and its variant."""
PIPELINES: Final = ("churn", "weekly")
PARAMETERS: Final = ("InputData", "Size")
STEP: Final = "Prepare"
"""Pipelines that are at AWS already, with these parameters and this step."""
GROUPS: Final = ("churn", "fraud")
"""Groups of model packages that are at AWS already; each has one."""
BASE: Final = "base"
"""An inference component on it."""
TUNED: Final = ("tuned-before", "tuned-long-ago")
"""Tuning jobs that are at AWS already."""
REGIONS: Final = ("us-east-2", "eu-west-1")
_TRACKING: Final = "spec.targetTrackingScalingPolicyConfiguration"
_CHOSEN: Final[Mapping[tuple[str, str], tuple[Any, ...]]] = {
    ("BatchTransformJob", "spec.modelName"): MODELS,
    ("EndpointConfig", "spec.productionVariants.[].modelName"): MODELS,
    ("EndpointConfig", "spec.shadowProductionVariants.[].modelName"): MODELS,
    ("HostingDeployment", "spec.productionVariants.[].modelName"): ("xgboost-model",),
    ("HostingDeployment", "spec.shadowProductionVariants.[].modelName"): ("xgboost-model",),
    ("HostingDeployment", "spec.models.[].primaryContainer"): ("xgboost",),
    ("HostingDeployment", "spec.models.[].name"): ("xgboost-model",),
    ("HostingDeployment", "spec.containers.[].containerHostname"): ("xgboost",),
    ("HostingDeployment", "spec.models.[].containers.[].containerHostname"): ("xgboost", "b"),
    ("HostingAutoscalingPolicy", "spec.resourceId.[]"): ({"endpointName": ENDPOINT, "variantName": NEWEST},),
    ("HostingAutoscalingPolicy", "spec.resourceId.[].endpointName"): (ENDPOINT,),
    ("HostingAutoscalingPolicy", "spec.resourceId.[].variantName"): (VARIANTS[0], NEWEST),
    ("InferenceComponent", "spec.endpointName"): (SHARED,),
    ("InferenceComponent", "spec.variantName"): (SHARED_VARIANT,),
    **{
        ("InferenceComponent", f"spec.{path}.{name}"): some
        for path in ("specification", "specifications.[]")
        for name, some in (("modelName", MODELS), ("baseInferenceComponentName", (BASE,)))
    },
    ("PipelineExecution", "spec.pipelineName"): PIPELINES,
    ("PipelineExecution", "spec.pipelineParameters.[].name"): PARAMETERS,
    ("PipelineExecution", "spec.selectiveExecutionConfig.selectedSteps.[].stepName"): (STEP,),
    ("ModelPackage", "spec.modelPackageGroupName"): GROUPS,
    ("Pipeline", "spec.pipelineDefinition"): tuple(definition(name) for name in (STEP, "Other")),
    ("Pipeline", "spec.pipelineDefinitionFrom.configMapKeyRef.name"): tuple(CONFIG_MAPS),
    ("Pipeline", "spec.pipelineDefinitionFrom.configMapKeyRef.key"): tuple(CONFIG_MAPS["definitions"]),
    ("HostingAutoscalingPolicy", "spec.policyType"): ("TargetTrackingScaling",),
    ("HostingAutoscalingPolicy", "spec.serviceNamespace"): ("sagemaker",),
    ("HostingAutoscalingPolicy", "spec.scalableDimension"): ("sagemaker:variant:DesiredInstanceCount",),
    ("HostingAutoscalingPolicy", f"{_TRACKING}.predefinedMetricSpecification.predefinedMetricType"): (
        "SageMakerVariantInvocationsPerInstance",
        "SageMakerInferenceComponentInvocationsPerCopy",
    ),
}
"""Values of what refers to something else."""
_OF_TUNING: Final[Mapping[str, tuple[str, ...]]] = {
    "Ranges.[].minValue": ("5", "10"),
    "Ranges.[].maxValue": ("20", "25"),
    "metricDefinitions.[].name": ("validation:error",),
    "parentHyperParameterTuningJobs.[].hyperParameterTuningJobName": TUNED,
}
"""Texts of a tuning job that have to fit to others in it, or at AWS, by the end of their path."""
_VARIANT: Final = frozenset({"modelName", "instanceType", "initialInstanceCount"})
_NEEDED: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("Model", "spec.primaryContainer"): frozenset({"image"}),
    ("TrainingJob", "spec.algorithmSpecification"): frozenset({"trainingImage"}),
    ("TrainingJob", "spec.inputDataConfig.[].dataSource"): frozenset({"s3DataSource"}),
    ("HyperparameterTuningJob", "spec.trainingJobDefinition.algorithmSpecification"): frozenset({"trainingImage"}),
    ("HyperparameterTuningJob", "spec.trainingJobDefinitions.[].algorithmSpecification"): frozenset({"trainingImage"}),
    ("HostingAutoscalingPolicy", "spec.resourceId.[]"): frozenset({"endpointName", "variantName"}),
    ("HostingAutoscalingPolicy", _TRACKING): frozenset({"predefinedMetricSpecification"}),
    ("Model", "spec.containers.[]"): frozenset({"image"}),
    ("HostingDeployment", "spec.containers.[]"): frozenset({"containerHostname", "image"}),
    ("HostingDeployment", "spec.models.[]"): frozenset({"primaryContainer"}),
    ("HyperparameterTuningJob", "spec.hyperParameterTuningJobConfig.resourceLimits"): frozenset(
        {"maxNumberOfTrainingJobs"}
    ),
    ("InferenceComponent", "spec.specifications.[]"): frozenset({"computeResourceRequirements", "modelName"}),
    ("ProcessingJob", "spec.processingInputs.[].s3Input"): frozenset({"localPath"}),
    **{
        (kind, f"spec.{name}.[]"): _VARIANT
        for kind in ("EndpointConfig", "HostingDeployment")
        for name in ("productionVariants", "shadowProductionVariants")
    },
}
"""What AWS needs without its model saying so."""
_ALONE: Final = (
    {"predefinedMetricSpecification", "customizedMetricSpecification"},
    {"algorithmName", "trainingImage"},
    {"s3DataSource", "fileSystemDataSource", "datasetSource"},
    {"serverlessConfig", "instanceType"},
    {"serverlessConfig", "initialInstanceCount"},
)
"""Properties of one object of which AWS takes one, without its model saying so."""
_EXCLUDE: Final = re.compile(r"(\w+) and (\w+) exclude each other")


def fits(schema: Mapping[str, Any], value: Any) -> bool:
    """Whether a scalar keeps the limits of a schema; its type apart."""
    if "enum" in schema and value not in schema["enum"]:
        return False
    if isinstance(value, str):
        return schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)) and _matches(
            schema.get("pattern", ""), value
        )
    low, high = schema.get("minimum", value), schema.get("maximum", value)
    return bool(low <= value <= high)


def _matches(pattern: str, value: str) -> bool:
    return not pattern or bool(re.search(_python(pattern), value))


@lru_cache(maxsize=2048)
def _python(pattern: str) -> str:
    """RE2's form of a pattern as `re` has it."""
    return pattern.replace(r"\z", r"\Z").replace(r"\pL", r"\w").replace(r"\pN", r"\d").replace(r"\pZ", r"\s")


def _at_aws(shape: Shape | None, value: Any) -> bool:
    """Whether AWS's model has nothing against a scalar."""
    if shape is None or isinstance(shape, StructureShape | ListShape | MapShape):
        return True
    meta = shape.metadata
    if isinstance(value, str):
        return (
            meta.get("min", 0) <= len(value) <= meta.get("max", len(value))
            and (not meta.get("pattern") or bool(compiled(meta["pattern"]).fullmatch(value)))
            and (not meta.get("enum") or value in meta["enum"])
        )
    if isinstance(value, bool):
        return True
    return bool(meta.get("min", value) <= value <= meta.get("max", value))


def valid(kind: str, path: Path_, schema: Mapping[str, Any], rng: random.Random) -> list[Any]:
    """Two values or more that both have nothing against, if there are; shuffled, bounds among them."""
    shape = shape_of(kind, path)
    chosen = REGIONS if path == ("spec", "region") else _CHOSEN.get((kind, ".".join(path)))
    if kind == "HyperparameterTuningJob":
        chosen = next((some for end, some in _OF_TUNING.items() if ".".join(path).endswith(end)), chosen)
    if chosen is not None:
        return list(chosen)
    match schema.get("type"):
        case "object":
            return _objects(kind, path, schema, rng)
        case "array":
            return _lists(kind, path, schema, shape, rng)
        case None:  # a container, or the name of one
            return [minimal(kind, path, schema)]
        case "boolean":
            found: list[Any] = [True, False]
        case "integer" | "number":
            found = [each for each in _numbers(schema, shape) if fits(schema, each) and _at_aws(shape, each)]
        case _:
            found = list(_texts(schema, shape))
    rng.shuffle(found)
    return found


def _numbers(schema: Mapping[str, Any], shape: Shape | None) -> list[Any]:
    meta: Mapping[str, Any] = {} if shape is None else shape.metadata
    low = max(schema.get("minimum", 0), meta.get("min", 0))
    high = min(schema.get("maximum", 2**31 - 1), meta.get("max", 2**31 - 1))
    some: list[Any] = [low, low + 1, (low + high) // 2, high]
    if schema["type"] == "number":
        some += [low + 0.5, 1e-3, 7.25]
    if shape is not None and shape.type_name == "long" and "max" not in meta:
        some += [2**53 + 1]
    return list(dict.fromkeys(some))


def _texts(schema: Mapping[str, Any], shape: Shape | None) -> list[str]:
    if schema.get("format") == "date-time" or (shape is not None and shape.type_name == "timestamp"):
        return list(_TIMES)
    allowed = schema.get("enum") or (shape.metadata.get("enum") if shape is not None else None)
    pool: list[str] = list(allowed) if allowed else list(_TEXTS)
    least = max(schema.get("minLength", 0), shape.metadata.get("min", 0) if shape is not None else 0)
    if not allowed and least > 1:
        pool += [text * least for text in ("a", "b")]
    found = [each for each in pool if fits(schema, each) and _at_aws(shape, each)]
    if len(found) < 2 and not allowed:
        at_aws = (shape.metadata.get("pattern") if shape is not None else "") or ""
        for pattern, is_java in ((at_aws, True), (schema.get("pattern", ""), False)):
            drawn = _drawn(pattern, is_java) if pattern else ()
            found += [each for each in drawn if fits(schema, each) and _at_aws(shape, each) and each not in found]
    return found[:12]


def _ascii(pattern: str, *, is_java: bool) -> re.Pattern[str]:
    """A pattern in which digits are those of ASCII, as for Java and RE2."""
    return re.compile(compiled(pattern).pattern if is_java else _python(pattern), re.ASCII)


@cache
def _drawn(pattern: str, is_java: bool) -> tuple[str, ...]:
    """Texts of a pattern, always the same."""
    found: list[str] = []

    @hypothesis.seed(1)
    @hypothesis.settings(
        max_examples=30,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(st.from_regex(_ascii(pattern, is_java=is_java), fullmatch=True))
    def draw(text: str) -> None:
        if text.isprintable() and text not in found:
            found.append(text)

    draw()
    return tuple(sorted(found, key=len)[1:6])


def minimal(kind: str, path: Path_, schema: Mapping[str, Any]) -> Any:
    """The least valid value: what schema and AWS require, and no more."""
    shape = shape_of(kind, path)
    match schema.get("type"):
        case "object":
            required = set(schema.get("required") or ())
            properties = schema.get("properties") or {}
            if isinstance(shape, StructureShape):
                wanted = {name.lower() for name in shape.required_members}
                required |= {name for name in properties if name.lower() in wanted}
            if {"name", "value"} == set(properties):
                required = {"name", "value"}
            for each in (schema, *(schema.get("allOf") or ())):
                first = next(iter(each.get("anyOf") or ()), {})
                required |= set(first.get("required") or ())
                for name, more in (first.get("properties") or {}).items():
                    there = properties[name]
                    wanted_too = [*(there.get("required") or ()), *(more.get("required") or ())]
                    properties = {**properties, name: {**there, "required": wanted_too}}
            required |= _NEEDED.get((kind, ".".join(path)), frozenset())
            return {name: minimal(kind, (*path, name), properties[name]) for name in sorted(required)}
        case "array":
            least = max(schema.get("minItems", 0), shape.metadata.get("min", 0) if shape is not None else 0, 1)
            items = schema["items"]
            return [_distinct(kind, (*path, "[]"), items, n) for n in range(least)]
        case None:
            return minimal(kind, path, {**schema, "type": "object", "required": ["containerHostname", "image"]})
        case _:
            found = valid(kind, path, schema, random.Random(1))
            return min(found, key=str) if found else _UNLIKELY


def excluded(schema: Mapping[str, Any], name: str) -> set[str]:
    """Properties of an object that cannot stand beside one of this name."""
    pairs = [_EXCLUDE.search(rule.get("message", "")) for rule in schema.get("x-kubernetes-validations") or ()]
    found = {frozenset(pair.groups()) for pair in pairs if pair} | {frozenset(each) for each in _ALONE}
    return set().union(*(pair - {name} for pair in found if name in pair))


def _distinct(kind: str, path: Path_, items: Mapping[str, Any], n: int) -> Any:
    """The n-th item of a list."""
    if items.get("type") == "object":
        return minimal(kind, path, items)
    found = valid(kind, path, items, random.Random(1))
    return found[n % len(found)] if found else _UNLIKELY


def _objects(kind: str, path: Path_, schema: Mapping[str, Any], rng: random.Random) -> list[Any]:
    """The least, and that with one property more."""
    least = minimal(kind, path, schema)
    found = [least]
    optional = [name for name in schema.get("properties") or {} if name not in least]
    if optional:
        name = rng.choice(optional)
        found.append({**least, name: minimal(kind, (*path, name), schema["properties"][name])})
    return found


def _lists(kind: str, path: Path_, schema: Mapping[str, Any], shape: Shape | None, rng: random.Random) -> list[Any]:
    """The least, a longer one, and the longer one in another order."""
    least = minimal(kind, path, schema)
    found = [least]
    most = min(schema.get("maxItems", 9), shape.metadata.get("max", 9) if shape is not None else 9)
    items = schema["items"]
    if len(least) < most:
        if items.get("type") == "object":
            other = dict(least[0])
            for name, inner in (items.get("properties") or {}).items():
                if name in other and inner.get("type") in {"string", "integer"}:
                    options = [each for each in valid(kind, (*path, "[]", name), inner, rng) if each != other[name]]
                    other[name] = options[0] if options else other[name]
            longer = [*least, other]
        else:
            options = [each for each in valid(kind, (*path, "[]"), items, rng) if each not in least]
            longer = [*least, options[0]] if options else least
        if longer != least:
            found += [longer, longer[::-1]]
    return found


def invalid(kind: str, path: Path_, schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Values that break one rule each, with its name."""
    type_ = schema.get("type", "")
    for value in _WRONG.get(type_, (5, True, [])):
        yield "type", value
    yield "null", None
    if type_ == "string":
        shape = shape_of(kind, path)
        if "enum" in schema or (shape is not None and shape.metadata.get("enum")):
            yield "enum", "NoSuchValue"
            yield "enum", str((schema.get("enum") or shape.metadata["enum"])[0]).swapcase()  # type: ignore[union-attr]
        most = schema.get("maxLength") or (shape.metadata.get("max") if shape is not None else None)
        if most and most < 5000:
            yield "length", "a" * (most + 1)
        if schema.get("minLength") or (shape is not None and shape.metadata.get("min")):
            yield "length", ""
        if schema.get("pattern") or (shape is not None and shape.metadata.get("pattern")):
            yield "pattern", "\t\n%&"
    if type_ in {"integer", "number"}:
        shape = shape_of(kind, path)
        meta: Mapping[str, Any] = {} if shape is None else shape.metadata
        low, high = schema.get("minimum", meta.get("min")), schema.get("maximum", meta.get("max"))
        if low is not None:
            yield "minimum", low - 1
        if high is not None:
            yield "maximum", high + 1
        yield "minimum", -(2**31)
    if type_ == "object":
        yield "unknown", {"noSuchField": 1}
        for name in schema.get("required") or ():
            whole = minimal(kind, path, schema)
            whole.pop(name, None)
            yield "required", whole
    if type_ == "array" and schema.get("minItems"):
        yield "items", []
    if type_ == "array" and "items" in schema:
        yield "items", [None]
