"""Writes the findings of a check as text: what is missing first, with what does not work without it. Pure."""

from collections.abc import Sequence
from typing import Final

from controller.aws.targets import Target
from controller.rights.check import Finding, Verdict
from controller.rights.probes import UNCHECKED

_ORDER: Final = (Verdict.DENIED, Verdict.UNKNOWN, Verdict.ALLOWED)
_HINT: Final = "What the operator needs, as a policy: docs/iam/operator.json."


def heading(target: Target, arn: str, namespaces: Sequence[str]) -> str:
    """Return the line above the findings of one identity."""
    users = f", for namespaces {', '.join(namespaces)}" if namespaces else ", the operator's own"
    return f"{arn or target.identity.role} in {target.region}{users}:"


def lines(findings: Sequence[Finding]) -> list[str]:
    """Return a line for each right, those that are missing first."""
    found = sorted(findings, key=lambda finding: (_ORDER.index(finding.verdict), finding.probe.action))
    return [f"  {_word(each):<9} {each.probe.action}{_text(each)}" for each in found]


def summary(findings: Sequence[Finding], problems: int) -> list[str]:
    """Return the last lines, about all identities; `problems` are those of identities that cannot be checked."""
    counts = [f"{sum(each.verdict is verdict for each in findings)} {verdict.value}" for verdict in reversed(_ORDER)]
    unchecked = f"not checked, as AWS checks them with the call that needs them: {', '.join(UNCHECKED)}"
    is_good = not problems and not any(each.is_problem for each in findings)
    return [unchecked, f"rights: {', '.join(counts)}", *([] if is_good else [_HINT])]


def _word(finding: Finding) -> str:
    return finding.verdict.value.upper() if finding.is_problem else finding.verdict.value


def _text(finding: Finding) -> str:
    if finding.verdict is Verdict.ALLOWED:
        return ""
    optional = " (optional)" if finding.probe.is_optional else ""
    return f"{optional}  without it, {finding.probe.without}\n            {finding.message}"
