"""Argo CD's view of our objects: the shipped script, run by Lua, on conditions as the operator writes them."""

from datetime import UTC, datetime
from typing import Any, Final

import lupa.lua53

from api.meta import GROUP
from api.v1 import KINDS
from controller.reconcile.status.patch import conditions, merged_conditions
from controller.reconcile.steps import Phase, StatusUpdate
from hack.crds import ROOT
from tests.documents import document
from tests.tables import each_row

NOW: Final = datetime(2030, 1, 1, tzinfo=UTC)
HEALTH: Final = {
    Phase.WORKING: ("Progressing", "on its way"),
    Phase.DONE: ("Healthy", "on its way"),
    Phase.READY: ("Healthy", "on its way"),
    Phase.READY_WORKING: ("Healthy", "on its way"),
    Phase.READY_STUCK: ("Degraded", "on its way"),
    Phase.ENDED: ("Degraded", "on its way"),
    Phase.STUCK: ("Degraded", "on its way"),
    Phase.TROUBLED: ("Progressing", "on its way"),
    Phase.PAUSED: ("Suspended", "on its way"),
}
"""Modern-expectations.md 2: Stalled is Degraded, else Ready is Healthy, else paused is Suspended, else Progressing."""


def health(obj: dict[str, Any]) -> tuple[str, str]:
    """What the script in the ConfigMap says of an object."""
    patch = document(ROOT / "config/argocd/health.yaml")
    script = patch["data"][f"resource.customizations.health.{GROUP}_{obj['kind']}"]
    lua = lupa.lua53.LuaRuntime()
    lua.globals().obj = lua.table_from(obj, recursive=True)
    said = lua.execute(script)
    return said["status"], said["message"]


def an_object(phase: Phase, *, generation: int = 1, observed: int = 1) -> dict[str, Any]:
    """An object whose status shows `phase`."""
    shown = conditions(StatusUpdate(phase, phase.name.title(), "on its way"), ())
    status = {"observedGeneration": observed, "conditions": merged_conditions((), shown, observed, NOW)}
    return {"kind": "TrainingJob", "metadata": {"generation": generation}, "status": status}


@each_row("phase", Phase)
def test_health_follows_the_conditions(phase: Phase) -> None:
    """Every phase that a status can show has one."""
    assert health(an_object(phase)) == HEALTH[phase]


def test_conditions_of_an_earlier_version_say_nothing() -> None:
    """As kstatus has it: an edit is Progressing until it was looked at."""
    assert health(an_object(Phase.READY, generation=2))[0] == "Progressing"


def test_a_new_object_is_progressing() -> None:
    """No status at all."""
    said, text = health({"kind": "Model", "metadata": {"generation": 1}})
    assert (said, text) == ("Progressing", "the operator has not seen this version yet")


def test_every_kind_has_its_check() -> None:
    """Argo CD looks checks up by group and kind."""
    patch = document(ROOT / "config/argocd/health.yaml")
    assert set(patch["data"]) == {f"resource.customizations.health.{GROUP}_{each.kind}" for each in KINDS}
