"""Finds the cluster as kubectl does: a kubeconfig and its context, or in a pod the service account.

The `kubernetes` package is loaded with the first connection: it takes longer than all else that a program which only
builds manifests needs.
"""

from pathlib import Path
from typing import Any, Final

from api.client.errors import ClientError

_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def connect(kubeconfig: str | None, context: str | None) -> tuple[Any, str]:
    """Return the API for custom objects, and the namespace that the context or the pod has; empty if it has none.

    The package's own default, which other code of the process may have set, is left alone. Raises `ClientError`.
    """
    import kubernetes  # noqa: PLC0415 (see above)

    config: Any = kubernetes.config
    settings = kubernetes.client.Configuration()
    try:
        config.load_kube_config(kubeconfig, context, client_configuration=settings)
        namespace = _namespace_of(config, kubeconfig, context)
    except config.ConfigException as error:
        if kubeconfig or context:
            raise ClientError("NoCluster", str(error)) from error
        namespace = _in_pod(config, settings, error)
    return kubernetes.client.CustomObjectsApi(kubernetes.client.ApiClient(settings)), namespace


def _in_pod(config: Any, settings: Any, error: Exception) -> str:
    try:
        config.load_incluster_config(client_configuration=settings)
    except config.ConfigException:
        raise ClientError("NoCluster", f"no kubeconfig, and this is no pod: {error}") from error
    return _ACCOUNT.read_text("utf-8").strip()


def _namespace_of(config: Any, kubeconfig: str | None, context: str | None) -> str:
    contexts, active = config.list_kube_config_contexts(kubeconfig)
    chosen = next((each for each in contexts if each["name"] == context), active)
    return str(chosen["context"].get("namespace") or "")
