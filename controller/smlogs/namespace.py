"""The namespace that a kubeconfig context works in: what `-n` defaults to, as in kubectl (D-48).

Which files there are and which context counts follows `kube.config.connect`, which reads everything else of them.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from controller.kube.config import DEFAULT_KUBECONFIG

FALLBACK: Final = "default"
_SERVICE_ACCOUNT_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def current(
    *,
    kubeconfig: str,
    context: str,
    environ: Mapping[str, str],
    service_account: Path = _SERVICE_ACCOUNT_NAMESPACE,
) -> str:
    """Namespace of the context in use, `default` where it names none; of several files, the first to say it wins.

    Call it after `connect`, which reports files and contexts that cannot be used: here they count as saying nothing.
    """
    paths = kubeconfig or environ.get("KUBECONFIG", "")
    if not paths and not context and environ.get("KUBERNETES_SERVICE_HOST"):
        return _text(service_account).strip() or FALLBACK
    documents = list(_documents(paths or DEFAULT_KUBECONFIG))
    active = context or next((each["current-context"] for each in documents if each.get("current-context")), "")
    contexts = (entry for each in documents for entry in each.get("contexts") or ())
    found: Mapping[str, Any] = next((entry for entry in contexts if entry.get("name") == active), {})
    return str((found.get("context") or {}).get("namespace") or FALLBACK)


def _documents(paths: str) -> Iterator[Mapping[str, Any]]:
    for part in filter(None, paths.split(os.pathsep)):
        document = yaml.safe_load(_text(Path(part).expanduser()))
        if isinstance(document, dict):
            yield document


def _text(file: Path) -> str:
    return file.read_text() if file.is_file() else ""
