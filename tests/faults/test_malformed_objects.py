"""Objects that no schema has checked: every field with values of a wrong type, through each kind's reconciler.

Schemas can be loosened, backups restored, and a status edited by hand. Whatever comes of it is said in words, at once:
an exception would be retried for ever, each time with a traceback, and nobody would know what to change.
"""

import pytest

from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import KINDS
from tests.fakes.job_manifests import manifest
from tests.fakes.world import World
from tests.faults.lax_world import LaxWorld, deleting, misfits, sample, schema_of, with_value

pytestmark = pytest.mark.long

EVERY_KIND = [pytest.param(each, id=each.kind) for each in KINDS]


def conditions(obj: JsonObject) -> dict[str, tuple[str, str]]:
    """Status and reason of the conditions, by type."""
    told = (obj.get("status") or {}).get("conditions") or ()
    return {each["type"]: (each["status"], each.get("reason", "")) for each in told}


@pytest.mark.parametrize("descriptor", EVERY_KIND)
def test_a_wrong_type_in_a_spec_is_told_as_such_or_harmless(descriptor: KindDescriptor) -> None:
    """D-07a: refused in words, or it goes nowhere: then what is sent is what the SDK would send."""
    wrong = []
    for place, value in misfits(schema_of(descriptor)["spec"]):
        told = conditions(LaxWorld(descriptor).settled(with_value(sample(descriptor), ("spec", *place), value)))
        is_refused = told.get("Stalled") == ("True", "InvalidSpec")
        if not is_refused and told.get("Stalled", ("", ""))[0] != "False":
            wrong.append((place, value, told))
    assert wrong == []


@pytest.mark.parametrize("descriptor", EVERY_KIND)
def test_a_wrong_type_at_the_top_of_a_spec_does_not_keep_an_object_from_going(descriptor: KindDescriptor) -> None:
    """Nothing was created of it: it can be let go without asking anybody."""
    for place, value in misfits(schema_of(descriptor)["spec"]):
        if len(place) < 2:
            obj = deleting(with_value(sample(descriptor), ("spec", *place), value))
            left = LaxWorld(descriptor).settled(obj)
            assert not left.get("metadata", {}).get("finalizers"), (place, value)


@pytest.mark.parametrize("descriptor", EVERY_KIND)
def test_a_wrong_type_in_a_status_counts_as_absent(descriptor: KindDescriptor) -> None:
    """A status only repeats: the object goes on, wanted or not, and nothing is raised."""
    usual = LaxWorld(descriptor).settled(sample(descriptor))
    for place, value in misfits(schema_of(descriptor)["status"]):
        obj = with_value(usual, ("status", *place), value)
        told = conditions(LaxWorld(descriptor).settled(obj))
        assert told.get("Stalled", ("", ""))[0] in {"False", "True"} or place[:1] == ("conditions",), (place, value)
        LaxWorld(descriptor).settled(deleting(obj))


def test_a_field_that_an_older_crd_drops_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Helm upgrades no CRDs: the status goes on, and what cannot be noted is not done again at every look."""
    world = World()
    patch = world.cluster._patch

    def pruned(key: ObjectKey, body: JsonObject, subresource: str) -> JsonObject:
        for field in ("tagsDigest", "tagKeys"):
            ((body.get("status") or {}).get("awsResource") or {}).pop(field, None)
        return patch(key, body, subresource)

    monkeypatch.setattr(world.cluster, "_patch", pruned)
    world.cluster.apply(manifest(tags=[{"key": "team", "value": "a"}]))
    world.run(10)
    for secondary in ("Downloading", "Training", "Uploading"):
        world.aws.move(world.name, "InProgress", secondary)
        world.run(15)
        assert world.status["secondaryStatus"] == secondary
    world.aws.move(world.name, "Completed")
    world.run(10)
    assert world.status["trainingJobStatus"] == "Completed"
    assert world.aws.count("add tags") == 1
