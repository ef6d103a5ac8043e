"""The operations of what is updated in place: create, describe, update, delete and list."""

from dataclasses import dataclass, replace
from typing import Any

from hack.sandbox.aws.jobs.job_api import Operation
from hack.sandbox.aws.records import triggers
from hack.sandbox.aws.records.listing import answered
from hack.sandbox.aws.records.resource import Store, stamp
from hack.sandbox.aws.records.tags import tag_map
from hack.sandbox.aws.records.tokens import TOKEN_LIFE_S
from hack.sandbox.aws.records.validation import output_members, validate
from hack.sandbox.aws.registry.kinds import GROUP, PACKAGE, Entry, EntryKind
from hack.sandbox.aws.wire import ApiError, Call

_WHO = {"IamIdentity": {"Arn": "arn:aws:iam::123456789012:role/sandbox"}}


@dataclass(frozen=True, slots=True)
class EntryApi:
    """The operations of one kind over one store."""

    kind: EntryKind
    store: Store
    token_life_s: float = TOKEN_LIFE_S

    def operations(self) -> dict[str, Operation]:
        """Return operation name → handler, to be merged into the service's table."""
        resource = self.kind.resource
        found: dict[str, Operation] = {
            f"Create{resource}": self.create,
            f"Describe{resource}": self.describe,
            f"Delete{resource}": self.delete,
            f"List{resource}s": self.list,
        }
        return found if self.kind is GROUP else {**found, f"Update{resource}": self.update}

    def create(self, call: Call) -> dict[str, Any]:
        """Store a resource; the same token again names the same resource. Raises ApiError."""
        validate("sagemaker", call.operation, call.params)
        token, since = call.params.get(self.kind.token), call.now - self.token_life_s
        for known in self.store.list(self.kind, call) if token else ():
            if known.request.get(self.kind.token) == token and known.created_at >= since:
                return {self.kind.arn_member: known.arn}
        self.kind.check(call, self.store)
        name, version = self._new_name(call)
        triggers.read(call.params, name)  # refuses an invalid marker
        entry = Entry(
            name=name,
            arn=self.kind.arn(call, name),
            region=call.region,
            account=call.account,
            request={key: value for key, value in call.params.items() if key != "Tags"},
            created_at=call.now,
            tags=tag_map(call.params.get("Tags") or ()),
            status=self.kind.ready,
            changed_at=call.now,
            version=version,
        )
        self.store.add(self.kind, entry)
        return {self.kind.arn_member: entry.arn}

    def describe(self, call: Call) -> dict[str, Any]:
        """Return the full description of a resource."""
        entry = self.store.get(self.kind, call, self._name(call))
        made_by = {"CreatedBy": _WHO, "LastModifiedBy": _WHO}
        answer = made_by | self._summary(entry, call.now) | self.kind.describe(entry, call.now)
        known = output_members(call.operation)
        return {member: value for member, value in answer.items() if member in known}

    def update(self, call: Call) -> dict[str, Any]:
        """Change what the request has, and leave the rest as it is. Raises ApiError."""
        name = self._name(call)
        if self.kind is not PACKAGE:
            self.kind.check(call, self.store)

        def changed(entry: Entry) -> Entry:
            request = dict(entry.request)
            for member, value in call.params.items():
                into = self.kind.spelled.get(member, member)
                if member in self.kind.removing:
                    left = dict(request.get(self.kind.removing[member]) or {})
                    request[self.kind.removing[member]] = {key: left[key] for key in left if key not in value}
                elif into in self.kind.extended:
                    before = request.get(into)
                    request[into] = (
                        {**(before or {}), **value} if isinstance(value, dict) else [*(before or ()), *value]
                    )
                elif member not in {self.kind.name_member, self.kind.arn_member, self.kind.token}:
                    request[into] = value
            return replace(entry, request=request, changed_at=call.now)

        return {self.kind.arn_member: self.store.change(self.kind, call, name, changed).arn}

    def delete(self, call: Call) -> None:
        """Remove a resource; a group must be empty. Raises ApiError."""
        name = self._name(call)
        if self.kind is GROUP and any(each.name.startswith(f"{name}/") for each in self.store.list(PACKAGE, call)):
            raise ApiError("ConflictException", f"ModelPackageGroup {name} cannot be deleted: it has model packages.")
        self.store.remove(self.kind, call, name)

    def list(self, call: Call) -> dict[str, Any]:
        """Return a page of summaries, filtered and sorted; by default the 10 newest."""
        validate("sagemaker", call.operation, call.params)
        if self.kind is PACKAGE and not call.params.keys() & {"ModelPackageGroupName", "ModelPackageType"}:
            call = replace(call, params={**call.params, "ModelPackageType": "Unversioned"})
        return answered(self.kind, call, self.store, lambda entry: self._listed(entry, call.now))

    def _listed(self, entry: Entry, now: float) -> dict[str, Any]:
        summary = self._summary(entry, now) | self.kind.summary(entry, now)
        if entry.version and self.kind is PACKAGE:
            del summary[self.kind.name_member]  # AWS names versions by their ARN alone
        return summary

    def _summary(self, entry: Entry, now: float) -> dict[str, Any]:
        return {
            self.kind.name_member: entry.name,
            self.kind.arn_member: entry.arn,
            self.kind.status_member: entry.status_at(now),
            "CreationTime": stamp(entry.created_at),
            "LastModifiedTime": stamp(entry.changed_at),
        }

    def _new_name(self, call: Call) -> tuple[str, int]:
        """Return the name of a new resource, and its version if AWS numbers it."""
        group = call.params.get("ModelPackageGroupName") if self.kind is PACKAGE else None
        if not group:
            return call.params[self.kind.name_member], 0
        name = group.rpartition("/")[2]
        counted = self.store.change(GROUP, call, name, lambda each: replace(each, version=each.version + 1))
        return f"{name}/{counted.version}", counted.version

    def _name(self, call: Call) -> str:
        """Return the name in a request, which may be an ARN."""
        validate("sagemaker", call.operation, call.params)
        given: str = call.params.get(self.kind.name_member) or call.params[self.kind.arn_member]
        return given.partition(f":{self.kind.arn_segment}/")[2] or given
