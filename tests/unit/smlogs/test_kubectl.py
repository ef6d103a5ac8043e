"""What kubectl is asked, with which flags, and what its words mean."""

import sys
from pathlib import Path

import pytest

from api.meta import ObjectKey
from api.v1 import TRAINING_JOB
from controller.runtime.errors import ErrorClass
from controller.smlogs.kubectl import Kubectl, KubectlError

RESOURCE = TRAINING_JOB.resource
NAME = "trainingjobs.sagemaker.aws.amazon.com"


class Scripted:
    """A `kubectl` on PATH that says what it is told to, and writes down its arguments."""

    def __init__(self, directory: Path, out: str = "{}", err: str = "", code: int = 0) -> None:
        self._arguments = directory / "arguments"
        program = directory / "kubectl"
        program.write_text(
            f"#!{sys.executable}\nimport sys\n"
            f"open({str(self._arguments)!r}, 'w').write(chr(10).join(sys.argv[1:]))\n"
            f"sys.stdout.write({out!r})\nsys.stderr.write({err!r})\nsys.exit({code})\n"
        )
        program.chmod(0o755)
        self.told: list[str] = []
        self.kubectl = Kubectl(("--context=prod", "--as=me"), {"PATH": str(directory)}, self.told.append)

    @property
    def arguments(self) -> list[str]:
        """What it was asked last."""
        return self._arguments.read_text().splitlines()


def test_the_object_is_got_with_the_users_flags(tmp_path: Path) -> None:
    """By its full name, which no other API group can take; the namespace is left to kubectl."""
    scripted = Scripted(tmp_path, '{"metadata": {"name": "job"}}')
    assert scripted.kubectl.get(RESOURCE, "job") == {"metadata": {"name": "job"}}
    assert scripted.arguments == ["get", "--output=json", "--context=prod", "--as=me", "--", NAME, "job"]


def test_names_are_listed_by_labels(tmp_path: Path) -> None:
    """As kubectl reads them."""
    scripted = Scripted(tmp_path, '{"items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]}')
    assert scripted.kubectl.names(NAME, "team in (a,b)") == ["a", "b"]
    flags = ["--output=json", "--context=prod", "--as=me", "--selector=team in (a,b)"]
    assert scripted.arguments == ["get", *flags, "--", NAME]


def test_looking_again_costs_one_request(tmp_path: Path) -> None:
    """No discovery; and the time-out is ours, behind the user's own one."""
    scripted = Scripted(tmp_path)
    scripted.kubectl.get_again(RESOURCE, ObjectKey("team", "job"), timeout_s=5)
    path = "/apis/sagemaker.aws.amazon.com/v1/namespaces/team/trainingjobs/job"
    assert scripted.arguments == ["get", "--context=prod", "--as=me", "--request-timeout=5s", "--raw", path]


@pytest.mark.parametrize(
    ("words", "error_class", "code"),
    [
        (f'Error from server (NotFound): {NAME} "job" not found', ErrorClass.NOT_FOUND, "NotFound"),
        ('error: the server doesn\'t have a resource type "trainingjobs"', ErrorClass.DENIED, "NotServed"),
        (
            "Error from server (NotFound): the server could not find the requested resource",
            ErrorClass.DENIED,
            "NotServed",
        ),
        ("error: You must be logged in to the server (Unauthorized)", ErrorClass.DENIED, "Unauthorized"),
        ("Error from server (Forbidden): trainingjobs is forbidden", ErrorClass.DENIED, "Forbidden"),
        ("Error from server (ServiceUnavailable): busy", ErrorClass.RETRYABLE, "ServiceUnavailable"),
        ("Error from server: etcdserver: leader changed", ErrorClass.RETRYABLE, "ServerError"),
        ("Unable to connect to the server: dial tcp: i/o timeout", ErrorClass.RETRYABLE, "Unreachable"),
        (
            "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?",
            ErrorClass.RETRYABLE,
            "Unreachable",
        ),
        ('error: context "x" does not exist', ErrorClass.INVALID, "Kubectl"),
        ("Error in configuration: context was not found", ErrorClass.INVALID, "Kubectl"),
    ],
)
def test_what_kubectl_says_has_a_meaning(tmp_path: Path, words: str, error_class: ErrorClass, code: str) -> None:
    """Only a server's "not found" says that the object is gone; kubectl 1.34."""
    log = 'E1122 04:24:53.467777   29171 memcache.go:265] "Unhandled Error" err="connection refused"\n'
    scripted = Scripted(tmp_path, err=f"{log}{words}\n{log}", code=1)
    with pytest.raises(KubectlError) as failed:
        scripted.kubectl.get(RESOURCE, "job")
    assert (failed.value.error_class, failed.value.code, failed.value.message) == (error_class, code, words)
    assert scripted.told == []


def test_what_a_credential_plugin_says_is_passed_on(tmp_path: Path) -> None:
    """It may ask the user to log in; kubectl's own warnings stay out of the log."""
    asks = "To sign in, open https://example.com and enter the code ABC"
    scripted = Scripted(tmp_path, err=f"{asks}\nWarning: v1 is deprecated\n")
    scripted.kubectl.get(RESOURCE, "job")
    assert scripted.told == [asks]


def test_without_kubectl_it_says_what_is_missing(tmp_path: Path) -> None:
    """Who runs the file by hand may have none on PATH."""
    kubectl = Kubectl((), {"PATH": str(tmp_path)}, print)
    with pytest.raises(KubectlError) as failed:
        kubectl.get(RESOURCE, "job")
    assert (failed.value.code, failed.value.error_class) == ("NoKubectl", ErrorClass.DENIED)
