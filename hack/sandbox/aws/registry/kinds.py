"""Model package groups and model packages: the checks of their Create operations, and what Describe adds.

Sources: API references of the operations; what AWS answers to wrong names is as ACK's controller expects it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hack.sandbox.aws.records.resource import ErrorText, Kind, Resource, Store
from hack.sandbox.aws.wire import Call, invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Resource):
    """One resource; `request` has what was updated since."""

    status: str
    changed_at: float
    version: int = 0
    """Of a package: its number in the group. Of a group: the last number that it has given."""

    def status_at(self, _now: float) -> str:
        """See `Resource.status_at`."""
        return self.status

    def modified_at(self, _now: float) -> float:
        """See `Resource.modified_at`."""
        return self.changed_at


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryKind(Kind[Entry]):
    """A kind with such resources; `check` raises ApiError for an invalid request."""

    check: Callable[[Call, Store], None]
    ready: str
    """The status of what is there."""
    token: str = ""
    """Request member of Create with the token by which a repetition is known."""
    spelled: Mapping[str, str]
    """Member of an Update → member of Describe, where they differ."""
    extended: frozenset[str] = frozenset()
    """Members of an Update that add to what is there, and do not replace it."""
    removing: Mapping[str, str]
    """Member of an Update with keys → the map that they are removed from."""


def _nothing(_resource: Entry, _now: float) -> dict[str, Any]:
    return {}


def _no_check(_call: Call, _store: Store) -> None:
    """Check nothing besides the form."""


def _check_package(call: Call, store: Store) -> None:
    request = call.params
    group, name = request.get("ModelPackageGroupName"), request.get("ModelPackageName")
    if group and name:
        raise invalid("Both ModelPackageName and ModelPackageGroupName are provided in the input.")
    if not (group or name):
        raise invalid("Missing ARN.")
    if group:
        if request.get("Tags"):
            raise invalid("Tags cannot be specified for versioned model packages. Tag the model package group.")
        store.get(GROUP, call, group.rpartition("/")[2])
    if (
        "InferenceSpecification" not in request
        and "SourceAlgorithmSpecification" not in request
        and "SourceUri" not in request
    ):
        raise invalid("InferenceSpecification or SourceAlgorithmSpecification must be specified.")


def _describe_package(package: Entry, _now: float) -> dict[str, Any]:
    shown = dict(package.request)
    if package.version:
        shown |= {"ModelPackageVersion": package.version, "ModelPackageName": package.name.partition("/")[0]}
    details: dict[str, list[Any]] = {"ValidationStatuses": [], "ImageScanStatuses": []}
    approval = {"ModelApprovalStatus": "PendingManualApproval"} if package.version else {}
    return {"CertifyForMarketplace": False, **approval, **shown, "ModelPackageStatusDetails": details}


def _summarize_package(package: Entry, now: float) -> dict[str, Any]:
    known = ("ModelPackageGroupName", "ModelPackageVersion", "ModelPackageDescription", "ModelApprovalStatus")
    described = _describe_package(package, now)
    return {member: described[member] for member in known if member in described}


def _is_of_group(package: Entry, group: str, _now: float) -> bool:
    return package.name.startswith(f"{group.rpartition('/')[2]}/")


def _is_of_type(package: Entry, wanted: str, _now: float) -> bool:
    return wanted == "Both" or (wanted == "Versioned") is bool(package.version)


GROUP: Final = EntryKind(
    resource="ModelPackageGroup",
    arn_segment="model-package-group",
    items_member="ModelPackageGroupSummaryList",
    not_found=ErrorText("ValidationException", "ModelPackageGroup {arn} does not exist."),
    exists=ErrorText("ValidationException", "Model Package Group already exists: {arn}"),
    describe=lambda group, _now: dict(group.request),
    summary=_nothing,
    check=_no_check,
    ready="Completed",
    spelled={},
    removing={},
)
PACKAGE: Final = EntryKind(
    resource="ModelPackage",
    arn_segment="model-package",
    items_member="ModelPackageSummaryList",
    not_found=ErrorText("ValidationException", "ModelPackage {arn} does not exist."),
    exists=ErrorText("ValidationException", "Model Package already exists: {arn}"),
    describe=_describe_package,
    summary=_summarize_package,
    filters={"ModelPackageGroupName": _is_of_group, "ModelPackageType": _is_of_type},
    check=_check_package,
    ready="Completed",
    token="ClientToken",
    spelled={"AdditionalInferenceSpecificationsToAdd": "AdditionalInferenceSpecifications"},
    extended=frozenset({"AdditionalInferenceSpecifications", "CustomerMetadataProperties"}),
    removing={"CustomerMetadataPropertiesToRemove": "CustomerMetadataProperties"},
)
ENTRY_KINDS: Final = (GROUP, PACKAGE)
