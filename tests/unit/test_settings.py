"""Flags, variables, defaults; mistakes are one line and exit code 2 (v1-kinds.md 10)."""

import dataclasses
import re

import pytest

from controller.flags import seconds
from controller.settings import Settings, parse
from tests.tables import each_row


def given(*arguments: str, **environ: str) -> Settings:
    """Settings of a command line and variables (without their prefix)."""
    return parse(arguments, {f"SAGEMAKER_OPERATOR_{name}": value for name, value in environ.items()})


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str, **environ: str) -> str:
    """What a wrong command line is answered with; checks the exit code."""
    with pytest.raises(SystemExit) as ended:
        given(*arguments, **environ)
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_without_arguments_there_are_the_defaults() -> None:
    """Leader election is off as in the predecessor, and nothing listens beyond this machine."""
    settings = given()

    assert settings == Settings()
    assert settings.enable_leader_election is False
    assert settings.metrics_addr == ("127.0.0.1", 8080)
    assert settings.health_addr == ("127.0.0.1", 8081)
    assert settings.namespaces == ()
    assert settings.ownership_tags is True


@pytest.mark.parametrize(
    "arguments",
    [
        ["--metrics-addr=:9090", "--enable-leader-election", "--namespace=ml", "--kubeconfig=k", "--master=http://m"],
        ["-metrics-addr=:9090", "-enable-leader-election", "-namespace=ml", "-kubeconfig=k", "-master=http://m"],
        [
            *("-metrics-addr", ":9090", "-enable-leader-election=true", "-namespace", "ml"),
            *("-kubeconfig", "k", "--master", "http://m"),
        ],
    ],
)
def test_command_lines_of_the_predecessor_mean_the_same(arguments: list[str]) -> None:
    """Go's flags: one dash or two, a value after = or as the next argument."""
    settings = given(*arguments)

    assert settings.metrics_addr == ("", 9090)
    assert settings.enable_leader_election is True
    assert (settings.namespaces, settings.kubeconfig, settings.master) == (("ml",), "k", "http://m")


def test_a_flag_goes_before_its_variable_and_that_before_the_default() -> None:
    """An empty variable counts as not set: templates like to leave them empty."""
    assert given("--workers=2", WORKERS="3").workers == 2
    assert given(WORKERS="3").workers == 3
    assert given(WORKERS="").workers == Settings().workers


def test_a_switch_can_be_switched_off() -> None:
    """`--switch=false`, also against a variable."""
    assert given("--enable-leader-election=false", ENABLE_LEADER_ELECTION="true").enable_leader_election is False
    assert given(OWNERSHIP_TAGS="false").ownership_tags is False


def test_values_are_read_as_what_they_mean() -> None:
    """Lists with commas, durations as Go writes them, `0` for a server that is off."""
    settings = given(
        "--namespace=a, b,a", "--resource-tags=team=ml,cost=1=2", "--poll-interval=1m30s", "--metrics-addr=0"
    )

    assert settings.namespaces == ("a", "b")
    assert settings.resource_tags == (("team", "ml"), ("cost", "1=2"))
    assert settings.poll_interval_s == 90
    assert settings.metrics_addr is None


def test_several_queues_are_urls_with_commas_between() -> None:
    """One for each region and account."""
    first, second = (f"https://sqs.{region}.amazonaws.com/123456789012/q" for region in ("us-east-2", "eu-west-1"))
    assert given(f"--status-queue={first}, {second},{first}").status_queues == (first, second)
    assert given().status_queues == ()


def test_a_list_may_be_given_by_repeating_its_flag() -> None:
    """As client-go's string slices: the last one alone would silently leave out namespaces or queues."""
    first, second = (f"https://sqs.{region}.amazonaws.com/123456789012/q" for region in ("us-east-2", "eu-west-1"))
    assert given(f"--status-queue={first}", f"--status-queue={second}").status_queues == (first, second)
    assert given("--namespace=a,b", "-namespace", "c").namespaces == ("a", "b", "c")
    assert given("--resource-tags=a=1", "--resource-tags=b=2").resource_tags == (("a", "1"), ("b", "2"))


@each_row(("text", "expected"), [("10h", 36000), ("500ms", 0.5), ("1.5s", 1.5), ("2", 2), ("0", 0), ("1h0m1s", 3601)])
def test_durations_are_those_of_go(text: str, expected: float) -> None:
    """And plain numbers of seconds."""
    assert seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("argument", "line"),
    [
        ("--workers=0", "--workers: must be a whole number from 1 to 256, not '0'"),
        ("--workers=x", "--workers: must be a whole number from 1 to 256, not 'x'"),
        ("--workers", "--workers: expected one argument"),
        ("--poll-interval=5x", "--poll-interval: must be a duration such as 30s, 1m30s or 10h, not '5x'"),
        ("--poll-interval=1ms", "--poll-interval: must be at least 0.05s, not '1ms'"),
        ("--metrics-addr=8080", "--metrics-addr: must be HOST:PORT, :PORT, or 0 to switch it off, not '8080'"),
        ("--enable-leader-election=maybe", "--enable-leader-election: must be true or false, not 'maybe'"),
        ("--log-level=loud", "--log-level: must be one of debug, info, warning, error, not 'loud'"),
        ("--status-queue=arn:aws:sqs:us-east-2:123456789012:q", "--status-queue: must be a URL that starts with http"),
        (
            "--status-queue=https://sqs.us-east-2.amazonaws.com/123456789012/q?x",
            "--status-queue: must be URLs of queues, such as",
        ),
        ("--status-queue=https://sqs.us-east-2.amazonaws.com/q", "--status-queue: must be URLs of queues, such as"),
        ("--namespace=A_b", "--namespace: must be the name of a namespace, not 'A_b'"),
        ("--leader-election-id=A", "--leader-election-id: must be a name for a Kubernetes object, not 'A'"),
        ("--aws-endpoint-url=host", "--aws-endpoint-url: must be a URL that starts with http:// or https://"),
        ("--resource-tags=a", "--resource-tags: must be key=value pairs .* 'a' is not"),
        ("--resource-tags=aws:x=y", "--resource-tags: must be key=value pairs .* 'aws:x=y' is not"),
        ("--kube-api-qps=-1", "--kube-api-qps: must be a number of requests per second, or 0 for no limit"),
        ("--leader-election-renew-deadline=20s", "the lease duration must be longer than the renew deadline"),
        ("--wrokers=2", "unknown arguments: --wrokers=2"),
        ("surplus", "unknown arguments: surplus"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_would_be_right(
    capsys: pytest.CaptureFixture[str], argument: str, line: str
) -> None:
    """Not a page of usage, in which the reason would be lost."""
    error = complaint(capsys, argument)

    assert re.fullmatch(rf"sagemaker-k8s-operator: error: .*{line}.* \(see --help\)\n", error)


def test_a_wrong_variable_is_named_as_the_place_of_the_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    """It may be far from the command line."""
    assert "error: SAGEMAKER_OPERATOR_WORKERS: must be" in complaint(capsys, WORKERS="many")


def test_help_names_every_option_with_its_variable_and_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Grouped; exit code 0."""
    with pytest.raises(SystemExit) as ended:
        given("--help")

    shown = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    for option in dataclasses.fields(Settings):
        flag = option.metadata["flag"] or "--" + option.name.removesuffix("_s").replace("_", "-")
        variable = "SAGEMAKER_OPERATOR_" + flag.removeprefix("--").replace("-", "_").upper()
        assert flag in shown
        assert f"${variable}]" in shown
    for group in ("Kubernetes:", "Scope:", "Work:", "AWS:", "Leader election:", "Endpoints:", "Logs:"):
        assert group in shown


def test_version_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """For bug reports: version, commit, Python."""
    with pytest.raises(SystemExit) as ended:
        given("--version")

    assert ended.value.code == 0
    assert re.fullmatch(r"sagemaker-k8s-operator \S+ \(commit \S+, Python \S+\)\n", capsys.readouterr().out)
