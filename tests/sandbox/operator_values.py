"""Values of the operator's charts: each changed, and all that can be left out left out."""

from typing import Any, Final

EVERYTHING: Final[dict[str, Any]] = {
    "roleArn": "arn:aws:iam::111122223333:role/mine",
    "image": {
        "repository": "registry.example:5000/operator",
        "tag": 20261130,
        "digest": f"sha256:{'0123456789abcdef' * 4}",
        "pullPolicy": "Always",
    },
    "imagePullSecrets": [{"name": "registry"}],
    "replicas": 3,
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
    "podSecurityContext": {"runAsUser": None, "fsGroup": None, "supplementalGroups": [7]},
    "securityContext": {"readOnlyRootFilesystem": False},
    "metricsProxy": {"certificateSecret": "metrics-tls", "resources": {"limits": {"memory": "1Gi"}}},
    "kinds": ["TrainingJob", "HostingDeployment"],
    "statusQueues": [
        f"https://sqs.{region}.amazonaws.com/111122223333/status" for region in ("us-east-2", "eu-west-1")
    ],
    "extraArgs": ["--log-level=debug"],
    "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
    "extraVolumes": [{"name": "authorities", "configMap": {"name": "authorities"}}],
    "extraVolumeMounts": [{"name": "authorities", "mountPath": "/etc/authorities", "readOnly": True}],
    "serviceAccount": {"create": True, "name": "mine", "annotations": {"owner": "us"}},
    "commonLabels": {"team": "ml", "app.kubernetes.io/part-of": "platform", "control-plane": "mine"},
    "podAnnotations": {"scan": "no", "kubectl.kubernetes.io/default-container": "mine"},
    "podLabels": {"tier": "control", "control-plane": "mine"},
    "nodeSelector": {"disk": "ssd"},
    "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{}]}}},
    "tolerations": [{"operator": "Exists"}],
    "topologySpreadConstraints": [{"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}],
    "priorityClassName": "system-cluster-critical",
    "podDisruptionBudget": {"enabled": False},
    "networkPolicy": {"enabled": True},
    "prometheus": {
        "enabled": True,
        "labels": {"release": "prometheus"},
        "interval": "1m",
        "credentials": {"name": "scraper", "key": "bearer"},
        "tlsConfig": {"serverName": "operator"},
        "runbookUrlPrefix": "https://wiki.example/",
    },
    "grafanaDashboard": {"enabled": True, "labels": {"dashboards": "yes"}, "annotations": {"folder": "ML"}},
    "tests": {"checkAws": False},
}
"""Every value of the operator's charts changed; labels include one that would take pods out of their Service."""
NOTHING: Final[dict[str, Any]] = {
    "roleArn": None,
    "podDisruptionBudget": {"enabled": False},
    "replicas": 0,
    "serviceAccount": {"create": False, "name": "theirs"},
    "topologySpreadConstraints": [],
    "prometheus": {"enabled": True},
    "metricsProxy": {"certificateSecret": "metrics-tls"},
}
"""As little as possible, with an account of others, and what follows where parts of a value are left out."""
