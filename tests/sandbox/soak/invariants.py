"""What holds at the end of a soak, whatever happened during it (DESIGN 5): each check returns sentences, best none."""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from api.descriptor import KindDescriptor, LifeCycle
from api.meta import GROUP, JsonObject
from api.v1 import KINDS
from hack.sandbox.aws.call_log import Effect
from tests.sandbox.harness import aws_call
from tests.sandbox.soak import registry
from tests.sandbox.soak.manifests import ADOPTABLE, FOREIGN
from tests.sandbox.soak.scene import OPERATOR, Ledger, Scene, recorded

_KINDS: Final = {each.kind: each for each in KINDS}
_UID: Final = f"{GROUP}/uid"
_NAME: Final = f"{GROUP}/name"
_SELF_EXPLAINED: Final = frozenset(
    {
        *("AlreadyExists", "ForeignResource", "NotFound", "InvalidSpec"),
        *("ChildFailed", "DependencyMissing", "WaitingForEndpoint", "Paused"),
    }
)
"""Reasons of conditions that say why nothing was created."""
_ONE_A_METRIC: Final = "Only one TargetTrackingScaling policy for a given metric"
"""What a second policy of another name is refused with on a variant, for as long as the first one is there."""
_CLOCK_S: Final = 1.0
_UNDER_WAY_S: Final = 6.0
"""For so long a call may be on its way that was sent before its name changed hands."""
_SEGMENTS: Final = {
    "endpoint": "Endpoint",
    "endpoint-config": "EndpointConfig",
    "model": "Model",
    "training-job": "TrainingJob",
}
"""By the segment of an ARN: the resources whose names change hands."""
_RESOURCES: Final = frozenset(each.operations.create.removeprefix("Create") for each in KINDS)


# --- while everything is wanted


def complaints(scene: Scene) -> list[str]:
    """Objects that do not show what SageMaker says, with their stories."""
    found = []
    for obj in scene.objects():
        problem = _problem(scene, obj)
        if problem:
            metadata = obj["metadata"]
            name = f"{obj['kind']} {metadata['namespace']}/{metadata['name']}"
            story = scene.ledger.story(name, metadata["uid"])
            found.append(f"{name}: {problem}\n    status: {json.dumps(obj.get('status'))}\n{story}")
    return found


def _problem(scene: Scene, obj: JsonObject) -> str:
    descriptor = _KINDS[obj["kind"]]
    metadata, status = obj["metadata"], obj.get("status") or {}
    annotations = metadata.get("annotations") or {}
    if annotations.get(f"{GROUP}/paused") == "true":
        return ""
    if scene.hung is not None and scene.hung in json.dumps(obj):
        return ""
    if metadata.get("deletionTimestamp"):
        return _why_it_stays(obj)
    reasons = {each.get("reason") for each in status.get("conditions") or ()}
    if "Drifted" in reasons and annotations.get(f"{GROUP}/drift-policy") == "correct":
        return "somebody has changed it, and it is not changed back"
    resource = recorded(obj)
    if resource is None:
        return "" if reasons & _SELF_EXPLAINED else "nothing is created, and nothing says why"
    if descriptor.life_cycle is LifeCycle.SCALING:
        return _scaling_problem(scene, status, reasons)
    place = (_own_member(obj["kind"]), resource["region"], resource["name"])
    if place in theirs(scene.aws.effects.all()) and f"{GROUP}/read-only" not in annotations:  # those show what is there
        return _problem_of_a_taken_name(descriptor, status, reasons)
    there = describe(scene, descriptor, resource["region"], resource["name"])
    if there is None:
        is_still = _is_looked_at_rarely(descriptor, status) and place in deleted_by_others(scene.aws.effects.all())
        return "" if is_still or "NotFound" in reasons else "SageMaker does not know it, and the status does not say so"
    value = there.get(descriptor.status.member) if descriptor.status.member else "Created"
    shown = status.get(descriptor.status.field)
    if value != shown:
        return "" if reasons & _SELF_EXPLAINED else f"shows {shown}, SageMaker says {value}"
    if value in descriptor.status.terminal and descriptor.life_cycle is not LifeCycle.IN_PLACE:
        return "its time to live is over, and it lives" if f"{GROUP}/ttl-seconds-after-finished" in annotations else ""
    if not descriptor.is_tagged:
        return ""
    has_tags = not descriptor.untagged_with
    if has_tags and f"{GROUP}/read-only" not in annotations and (untagged := _untagged(scene, obj, there)):
        return f"lacks tags: {untagged}"
    if descriptor.life_cycle is LifeCycle.ENDPOINT:
        if "UpdateFailed" in reasons and "SANDBOX_FAIL" not in json.dumps(obj["spec"]):
            return "its update has failed, though nothing is wrong with it"
        return _endpoint_problem(there, status, reasons)
    if descriptor.life_cycle is LifeCycle.COMPONENT:
        return _component_problem(obj, there, reasons)
    if descriptor.life_cycle is LifeCycle.IN_PLACE:
        return registry.problem(obj, there, reasons)
    return ""


def _problem_of_a_taken_name(descriptor: KindDescriptor, status: JsonObject, reasons: set[Any]) -> str:
    """Others have it."""
    is_still = _is_looked_at_rarely(descriptor, status)
    is_told = reasons & {"ForeignResource", "AlreadyExists", "NotFound", "NameUnavailable"}
    is_assumed = (status.get("awsResource") or {}).get("ownerUnverified") is True  # created within two seconds of ours
    return "" if is_still or is_told or is_assumed else "others have taken its name, and the status does not say so"


def _is_looked_at_rarely(descriptor: KindDescriptor, status: JsonObject) -> bool:
    """Whether what others do to it is seen within the hour only, as of all that has ended or never changes."""
    has_ended = status.get(descriptor.status.field) in descriptor.status.terminal
    return has_ended or descriptor.life_cycle is LifeCycle.RESOURCE


def deleted_by_others(effects: Iterable[Effect]) -> set[tuple[str, str, str]]:
    """What others have deleted last, by resource, region and name."""
    found: set[tuple[str, str, str]] = set()
    for effect in effects:
        verb, resource = _split(effect.operation)
        place = (resource, effect.region, effect.name)
        if verb in {"Create", "Delete"}:
            (found.add if verb == "Delete" and OPERATOR not in effect.user_agent else found.discard)(place)
    return found


def theirs(effects: Iterable[Effect]) -> set[tuple[str, str, str]]:
    """What others have created last, by resource, region and name; but for what may be adopted."""
    found: set[tuple[str, str, str]] = set()
    for effect in effects:
        verb, resource = _split(effect.operation)
        place = (resource, effect.region, effect.name)
        if verb == "Create":
            (found.discard if OPERATOR in effect.user_agent else found.add)(place)
    return {each for each in found if each[2] != ADOPTABLE}


def _untagged(scene: Scene, obj: JsonObject, there: JsonObject) -> dict[str, str]:
    """Tags of the spec that the resource does not have. Whoever a tuning job has launched has the tuning job's."""
    if obj["metadata"].get("ownerReferences"):
        return {}
    arn = next(value for name, value in there.items() if name == f"{_own_member(obj['kind'])}Arn")
    listed = (scene.ask("ListTags", obj["status"]["awsResource"]["region"], ResourceArn=arn) or {}).get("Tags", ())
    tags = {each["Key"]: each["Value"] for each in listed}
    wanted = {each["key"]: each["value"] for each in obj["spec"].get("tags") or ()}
    return {key: value for key, value in wanted.items() if tags.get(key) != value}


def _own_member(kind: str) -> str:
    return _KINDS[kind].operations.create.removeprefix("Create")


def _why_it_stays(obj: JsonObject) -> str:
    """Children wait for their deployment; everything else must go."""
    waits = any(each.get("reason") == "InUse" for each in (obj.get("status") or {}).get("conditions") or ())
    return "" if waits else "its deletion does not come to an end"


def _endpoint_problem(there: JsonObject, status: JsonObject, reasons: set[Any]) -> str:
    if "Drifted" in reasons:
        return ""
    if "UpdatePending" in reasons:
        return "an update is pending for ever"
    if there["EndpointConfigName"] != status.get("endpointConfigName"):
        return f"shows configuration {status.get('endpointConfigName')}, serves {there['EndpointConfigName']}"
    return ""


def _component_problem(obj: JsonObject, there: JsonObject, reasons: set[Any]) -> str:
    """What it runs is what its spec asks for, unless an update has failed, for a reason, or others have changed it."""
    spec, is_failing = obj["spec"], "SANDBOX_FAIL" in json.dumps(obj["spec"])
    if "UpdateFailed" in reasons or there["InferenceComponentStatus"] == "Failed":
        return "" if is_failing or "UpdateBlocked" in reasons else "it has failed, though nothing is wrong with it"
    if "Drifted" in reasons or f"{GROUP}/read-only" in (obj["metadata"].get("annotations") or {}):
        return ""
    wanted = {each["name"]: each["value"] for each in spec["specification"]["container"].get("environment") or ()}
    found = there["Specification"]["Container"].get("Environment") or {}
    copies = there["RuntimeConfig"]["DesiredCopyCount"]
    is_same = found == wanted and copies == spec["runtimeConfig"]["copyCount"]
    return "" if is_same else f"runs {copies} copies with {found}"


def _scaling_problem(scene: Scene, status: JsonObject, reasons: set[Any]) -> str:
    if status.get("hostingAutoscalingPolicyStatus") != "Created":
        is_told = reasons & _SELF_EXPLAINED or _ONE_A_METRIC in str(status.get("additional"))
        return "" if is_told else "is not in place, and nothing says why"
    there = _policies(scene, status["awsResource"]["region"])
    missing = [each for each in status.get("resourceIDList") or () if (each, status["policyName"]) not in there]
    return f"shows that it is in place on {missing}, where it is not" if missing else ""


def _policies(scene: Scene, region: str) -> set[tuple[str, str]]:
    answer = aws_call(
        scene.aws.url,
        "DescribeScalingPolicies",
        region=region,
        ServiceNamespace="sagemaker",
    )
    return {(each["ResourceId"], each["PolicyName"]) for each in answer["ScalingPolicies"]}


def targets(scene: Scene, region: str) -> set[str]:
    """Resource ids of all scalable targets."""
    answer = aws_call(scene.aws.url, "DescribeScalableTargets", region=region, ServiceNamespace="sagemaker")
    return {each["ResourceId"] for each in answer["ScalableTargets"]}


def describe(scene: Scene, descriptor: KindDescriptor, region: str, name: str) -> JsonObject | None:
    """What SageMaker says of a resource; None: it does not know it."""
    return scene.ask(descriptor.operations.describe, region, **{descriptor.name.member: name})


def quiet_complaints(scene: Scene, seconds: float, *, within_s: float) -> list[str]:
    """Where nothing changes, nothing is written, and little is asked: lists only (DESIGN 4.5, 4.8).

    What was superfluous may still be cleared away at first, so one stretch of so many seconds has to be quiet.
    """
    deadline = time.monotonic() + within_s
    while (found := _unrest(scene, seconds)) and time.monotonic() < deadline:
        pass
    return found


def _unrest(scene: Scene, seconds: float) -> list[str]:
    objects = scene.objects()
    asked, written = scene.aws.requests.counts(), scene.kube_writes()
    time.sleep(seconds)
    after = scene.aws.requests.counts()
    news = {name: number - asked.get(name, 0) for name, number in after.items() if number > asked.get(name, 0)}
    # Executions are described in turn: no List shows those of all pipelines.
    calls = sum(number for name, number in news.items() if not name.startswith(("List", "DescribePipelineExecution")))
    found = []
    if calls > 3 + len(objects) / 10:
        found.append(f"{len(objects)} objects at rest cost {news} in {seconds} s")
    if scene.kube_writes() - written > 1:
        found.append(f"{scene.kube_writes() - written} writes in {seconds} s for {len(objects)} objects at rest")
    return found


# --- when everything is gone


def left_behind(scene: Scene) -> list[str]:
    """What we created and nobody wants any more must be gone, or at its end."""
    found = []
    taken = theirs(scene.aws.effects.all())
    for effect in last_creations(scene.aws.effects.all()):
        descriptor = _created(effect)
        if descriptor is None or _UID not in effect.tags or _is_retained(scene.ledger, effect):
            continue
        if (_own_member(descriptor.kind), effect.region, effect.name) in taken:
            continue
        there = describe(scene, descriptor, effect.region, effect.name)
        value = (there or {}).get(descriptor.status.member or "-", "there")
        if there is not None and value not in descriptor.status.terminal:
            name = f"{effect.tags[f'{GROUP}/namespace']}/{effect.tags[_NAME]}"
            story = scene.ledger.story(name, effect.tags[_UID])
            found.append(f"{effect.operation} {effect.name} of {name} is left ({value})\n{story}")
    return found + _scaling_left(scene)


def last_creations(effects: Iterable[Effect]) -> list[Effect]:
    """The effects that created what may be there now: a name may have had several owners in turn."""
    last = {(effect.operation, effect.region, effect.name): effect for effect in effects}
    return list(last.values())


def _scaling_left(scene: Scene) -> list[str]:
    ledger = scene.ledger
    if ledger.policies & (ledger.retained | ledger.undecided):
        return []  # what they have kept is not told by tags
    others = {f"endpoint/{FOREIGN}/variant/v0", *ledger.meddled}
    ours = {
        region: {("", each) for each in targets(scene, region) - others}
        | (_policies(scene, region) - ledger.their_policies)
        for region in {effect.region for effect in scene.aws.effects.all()}
    }
    story = ledger.story("HostingAutoscalingPolicy")
    return [f"{region}: targets or policies are left: {found}\n{story}" for region, found in ours.items() if found]


def _is_retained(ledger: Ledger, effect: Effect) -> bool:
    """Of an object that protects it, or of a child of one: their names hold the uid of their deployment."""
    uid, name = effect.tags[_UID], effect.tags.get(_NAME, "")
    return any(uid == each or each.replace("-", "") in name for each in ledger.retained | ledger.undecided)


def _created(effect: Effect) -> KindDescriptor | None:
    return next((each for each in KINDS if each.operations.create == effect.operation), None)


def still_there(scene: Scene, region: str) -> JsonObject:
    """Everything that belongs to others, as far as it does not change by itself."""
    asked = (
        ("DescribeEndpoint", "EndpointName"),
        ("DescribeEndpointConfig", "EndpointConfigName"),
        ("DescribeModel", "ModelName"),
        ("DescribeTrainingJob", "TrainingJobName"),
    )
    seen = {}
    for operation, member in asked:
        answer = scene.ask(operation, region, **{member: FOREIGN}) or {}
        arn = next((value for name, value in answer.items() if name.endswith("Arn")), "")
        moving = ("LastModifiedTime", "Secondary", "TrainingTime", "Billable", "TrainingStart")
        kept = {name: value for name, value in answer.items() if not name.startswith(moving)}
        seen[operation] = {**kept, "tags": scene.ask("ListTags", region, ResourceArn=arn)}
    seen["scaled"] = {"ids": sorted(each for each in targets(scene, region) if f"/{FOREIGN}/" in each)}
    return json.loads(json.dumps(seen, sort_keys=True))  # type: ignore[no-any-return]


# --- what was done


def effects_complaints(ledger: Ledger, effects: Sequence[Effect]) -> list[str]:
    """No second resource for one object, and nothing stopped or deleted that was wanted, or not ours."""
    return [*_twice(effects), *_wrong_ends(ledger, effects), *_scaling_trespasses(ledger, effects)]


def _twice(effects: Sequence[Effect]) -> Iterator[str]:
    names: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    balance: Counter[tuple[str, str, str, str]] = Counter()
    for effect in effects:
        descriptor = _created(effect)
        if descriptor is None or _UID not in effect.tags:
            continue
        place = (effect.operation.removeprefix("Create"), effect.region, effect.name, effect.tags[_UID])
        balance[place] += 1
        if descriptor.life_cycle in {LifeCycle.JOB, LifeCycle.ENDPOINT, LifeCycle.COMPONENT}:
            names[effect.tags[_UID]].add((effect.region, effect.name))
            if descriptor.life_cycle is LifeCycle.JOB and balance[place] > 1:
                yield f"{place} was created {balance[place]} times"
    yield from (f"object {uid} has several resources: {sorted(each)}" for uid, each in names.items() if len(each) > 1)


def _wrong_ends(ledger: Ledger, effects: Sequence[Effect]) -> Iterator[str]:
    makers: dict[tuple[str, str, str], Effect] = {}
    for effect in effects:
        verb, resource = _split(effect.operation)
        place = (resource, effect.region, effect.name)
        maker = makers.get(_tagged(effect) or place)
        told = ""
        if verb == "Create":
            makers[place] = effect
        elif OPERATOR not in effect.user_agent:
            continue
        elif maker is not None and _is_of_others(maker):
            told = "others had made it" if effect.at - maker.at > _UNDER_WAY_S else ""
        elif verb and resource in _RESOURCES:
            told = _objection(ledger, effect, maker.tags if maker else {})
        if told:
            yield f"{effect.operation} {effect.name} at {effect.at - ledger.started:.1f}: {told}"


def _scaling_trespasses(ledger: Ledger, effects: Sequence[Effect]) -> Iterator[str]:
    """A target that others have removed and registered again is theirs, until its endpoint is deleted."""
    taken: dict[tuple[str, str], float] = {}
    removed: set[tuple[str, str]] = set()
    for effect in effects:
        place, is_by_others = (effect.region, effect.name.partition(" ")[0]), OPERATOR not in effect.user_agent
        if effect.operation == "DeleteEndpoint":
            taken = {each: at for each, at in taken.items() if f"/{effect.name}/" not in each[1]}
        elif is_by_others and effect.operation == "DeregisterScalableTarget":
            removed.add(place)
        elif is_by_others and effect.operation == "RegisterScalableTarget" and place in removed:
            taken[place] = effect.at
        elif effect.operation == "RegisterScalableTarget":
            removed.discard(place)
        changes = effect.operation in {"RegisterScalableTarget", "DeregisterScalableTarget"}
        if not is_by_others and changes and effect.at - taken.get(place, effect.at) > _UNDER_WAY_S:
            yield f"{effect.operation} {effect.name} at {effect.at - ledger.started:.1f}: others had registered it"


def _tagged(effect: Effect) -> tuple[str, str, str] | None:
    """The place of the resource whose tags a call changes."""
    if not effect.operation.endswith("Tags"):
        return None
    segment, _, name = effect.name.rpartition(":")[2].partition("/")
    return (_SEGMENTS.get(segment, segment), effect.region, name)


def _is_of_others(maker: Effect) -> bool:
    return OPERATOR not in maker.user_agent and maker.name != ADOPTABLE


def _objection(ledger: Ledger, effect: Effect, tags: Mapping[str, str]) -> str:
    verb, resource = _split(effect.operation)
    if (verb, resource) == ("Update", "ModelPackage"):
        return ""  # it has no tags
    if _UID not in tags:
        spawned = effect.name in ledger.removed_jobs or resource == "TrainingJob"
        return "" if effect.name == ADOPTABLE or (spawned and effect.name != FOREIGN) else "it was not ours"
    uid = tags[_UID]
    if verb == "Update" or resource in {"Model", "EndpointConfig"}:
        return ""
    if uid in ledger.recreating and resource == "Endpoint":
        return ""
    asked = ledger.deleted.get(uid)
    if asked is None or asked > effect.at + _CLOCK_S:
        return f"its object {uid} ({tags.get(_NAME)}) was wanted"
    return f"its object {uid} asked to retain it" if uid in ledger.retained - ledger.undecided else ""


def _split(operation: str) -> tuple[str, str]:
    for verb in ("Create", "Stop", "Delete", "Update"):
        if operation.startswith(verb):
            return verb, operation.removeprefix(verb).removesuffix("WeightsAndCapacities")
    return "", operation


def log_complaints(lines: Iterable[JsonObject]) -> list[str]:
    """No line that is not JSON, and nothing unexpected: that is what tracebacks are for."""
    found: Counter[str] = Counter()
    for line in lines:
        if "unreadable" in line:
            found[f"{line['log']}: {line['unreadable']}"] += 1
        elif "exception" in line or "exc_info" in line:
            trace = str(line.get("exception"))
            if "LeadershipLost" in trace:  # a process that was frozen, or cut off, ends so that another one leads
                continue
            where = {name: line.get(name) for name in ("event", "controller", "namespace", "name")}
            found[f"{where}: {trace[-1500:]}"] += 1
    return [f"logged {number} times: {text}" for text, number in found.most_common(20)]
