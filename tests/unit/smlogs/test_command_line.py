"""The command line: pflag's rules, the plugin's commands and aliases, and the guide's help text."""

from datetime import UTC, datetime

import pytest

from controller.smlogs.command_line import help as texts
from controller.smlogs.command_line.flags import UsageError
from controller.smlogs.command_line.options import HelpWanted, Options, VersionWanted, read
from tests.tables import each_row
from tests.unit.smlogs.fakes import kind


def asked(*words: str) -> Options:
    """The options of a command line that is in order."""
    wanted = read(words)
    assert isinstance(wanted, Options)
    return wanted


@pytest.mark.guide("F-3a")
@each_row(
    ("command", "meant"),
    [
        # guide F-3a: the aliases of the predecessor, word by word
        *((alias, "TrainingJob") for alias in ("TrainingJob", "Trainingjob", "trainingjob", "trainingjobs")),
        ("TrainingJobs", "TrainingJob"),
        *((alias, "BatchTransformJob") for alias in ("batchtransformjob", "BatchtransformJob", "batchtransformjobs")),
        *((alias, "BatchTransformJob") for alias in ("BatchTransformJobs", "BatchtransformJobs")),
        *((alias, "HyperparameterTuningJob") for alias in ("HyperParameterTuningJob", "hyperparametertuningjob")),
        *((alias, "HyperparameterTuningJob") for alias in ("HyperparametertuningJob", "HyperParameterTuningJobs")),
        *((alias, "HyperparameterTuningJob") for alias in ("hyperparameterTuningjobs", "HyperparametertuningJobs")),
        ("PROCESSINGJOBS", "ProcessingJob"),
        ("hostingdeployment", "HostingDeployment"),
        ("Endpoints", "HostingDeployment"),
        ("trainingjobs.sagemaker.aws.amazon.com", "TrainingJob"),
    ],
)
def test_kinds_have_their_names_in_any_case_and_plural(command: str, meant: str) -> None:
    """Whatever `kubectl get` takes, and whatever the predecessor took."""
    assert asked(command, "job").kind.kind == meant


@each_row(
    ("words", "options"),
    [
        ([], {}),
        (["-f"], {"follow": True}),
        (["--follow=false"], {"follow": False}),
        (["-fn", "team"], {"follow": True, "kubectl_flags": ("--namespace=team",)}),
        (["-nteam"], {"kubectl_flags": ("--namespace=team",)}),
        (["-n=team"], {"kubectl_flags": ("--namespace=team",)}),
        (["-p=other", "-p", "algo-4"], {"search_prefix": "algo-4"}),
        (["-p", "algo-4"], {"search_prefix": "algo-4"}),
        (["--logSearchPrefix=algo-4"], {"search_prefix": "algo-4"}),
        (["--hide-log-stream-name"], {"hide_log_stream_name": True}),
        (["--timestamps"], {"timestamps": True}),
        (["--timestamps=false"], {"timestamps": False}),
        (["--tail", "7", "--since=1m30s"], {"tail": 7, "since_s": 90.0}),
        (["--tail=-1"], {"tail": -1}),
        (["-o", "json"], {"output": "json"}),
        (["--since-time=2030-01-02T05:04:05+02:00"], {"since_time": datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)}),
        (
            ["--as-group", "a", "--context=prod", "--as-group=b"],
            {"kubectl_flags": ("--as-group=a", "--context=prod", "--as-group=b")},
        ),
        (
            ["-s", "http://x", "--insecure-skip-tls-verify"],
            {"kubectl_flags": ("--server=http://x", "--insecure-skip-tls-verify=true")},
        ),
    ],
)
@each_row("is_behind", [True, False], ids=["behind the name", "in front"])
def test_flags_stand_anywhere_and_are_written_in_any_of_pflags_ways(
    words: list[str], options: dict[str, object], is_behind: bool
) -> None:
    """As kubectl's."""
    line = ["trainingjob", "job", *words] if is_behind else [*words, "trainingjob", "job"]
    assert asked(*line) == Options(kind(), "job", **options)  # type: ignore[arg-type]


KUBECTL_FLAGS = (
    "as as-group as-uid certificate-authority client-certificate client-key cluster context kubeconfig namespace "
    "request-timeout server tls-server-name token user"
)


@pytest.mark.guide("F-3d")
@each_row("flag", KUBECTL_FLAGS.split())
def test_what_tells_of_the_cluster_is_for_kubectl_to_read(flag: str) -> None:
    """Every flag of `kubectl options` that says where and as whom means the same here."""
    assert asked("trainingjob", "job", f"--{flag}", "x").kubectl_flags == (f"--{flag}=x",)


def test_labels_may_stand_for_the_name() -> None:
    """`-l`, as for kubectl logs."""
    assert asked("trainingjob", "-l", "team=a,stage!=test") == Options(kind(), "", selector="team=a,stage!=test")


@each_row("line", ["--version", "version", "trainingjob --version"])
def test_the_version_is_a_flag_and_a_command(line: str) -> None:
    """As users try both."""
    assert read(line.split()) == VersionWanted()


def test_type_and_name_may_be_one_word() -> None:
    """`TYPE/NAME`, as for kubectl logs."""
    assert asked("trainingjob/job").name == "job"


def test_nothing_after_two_dashes_is_a_flag() -> None:
    """pflag, POSIX: and a name that begins with a dash is at least asked for."""
    assert asked("trainingjob", "--", "-f").name == "-f"


@pytest.mark.guide("F-3c")
@each_row(
    ("line", "words"),
    [
        ("model x", 'unknown command "model" for "smlogs"; the kinds with logs are batchtransformjob, hostingdep'),
        ("trainingjbo x", 'unknown command "trainingjbo" for "smlogs"; is trainingjob meant? The kinds with logs are '),
        ("endpiont x", 'unknown command "endpiont" for "smlogs"; is hostingdeployment meant? '),
        ("trainingjob a -l b=c", "a name and a selector cannot be given together, got [a] and b=c"),
        ("trainingjob a -o yaml", 'invalid argument "yaml" for "-o, --output" flag: must be one of text, json'),
        ("trainingjob a --since 1m --since-time 2030-01-02T03:04:05Z", "at most one of --since and --since-time"),
        (
            "trainingjob a --since-time soon",
            'invalid argument "soon" for "--since-time" flag: must be a time of RFC 3339',
        ),
        ("trainingjob a --since-time 2030-01-02", 'invalid argument "2030-01-02" for "--since-time" flag: must be a'),
        ("trainingjob a --since-time 2030-01-02T03:04:05", 'invalid argument "2030-01-02T03:04:05" for "--since-time"'),
        ("trainingjob", 'expected exactly one resource name, got []; "kubectl get TrainingJob" lists them'),
        ("trainingjob a b", 'expected exactly one resource name, got [a b]; "kubectl get TrainingJob" lists them'),
        ("trainingjob a --colour", "unknown flag: --colour"),
        ("trainingjob a -fx", "unknown shorthand flag: 'x' in -fx"),
        ("trainingjob a --since", "flag needs an argument: --since"),
        ("trainingjob a -n", "flag needs an argument: -n, --namespace"),
        ("trainingjob a --since=soon", 'invalid argument "soon" for "--since" flag: must be a duration such as'),
        ("trainingjob a --tail -2", 'invalid argument "-2" for "--tail" flag: must be a whole number from -1'),
        ("trainingjob a --follow=often", 'invalid argument "often" for "--follow" flag: must be true or false'),
    ],
)
def test_what_makes_no_sense_is_said_in_kubectls_words(line: str, words: str) -> None:
    """The message names the flag as it was written, and what would do."""
    with pytest.raises(UsageError) as refused:
        read(line.split())
    assert str(refused.value).startswith(words)


@each_row("line", ["", "help", "--help", "-h", "HELP"])
def test_without_a_command_the_help_is_shown(line: str) -> None:
    """B-19."""
    assert read(line.split()) == HelpWanted()


@each_row("line", ["help trainingjob", "trainingjob --help", "trainingjobs job -h"])
def test_each_command_has_its_help(line: str) -> None:
    """The last line of the root's help promises it."""
    assert read(line.split()) == HelpWanted(kind())
    text = texts.command(kind())
    assert text.startswith("View TrainingJob logs via Kubernetes\n\nUsage:\n  smlogs TrainingJob NAME [flags]\n")
    for flag in ("-f, --follow ", "-p, --logSearchPrefix string", "    --hide-log-stream-name ", "-s, --server url "):
        assert flag in text


def test_the_help_is_that_of_the_guide_with_more_commands() -> None:
    """B-19: the guide's facts in the guide's order; its two commands and `help` are written as there."""
    facts = [
        "View Amazon SageMaker logs via Kubernetes\n\n",
        "Usage:\n  smlogs [command]\n\n",
        "Aliases:\n  smlogs, SMLogs, Smlogs\n\n",
        "Available Commands:\n  BatchTransformJob       View BatchTransformJob logs via Kubernetes\n",
        "  TrainingJob             View TrainingJob logs via Kubernetes\n",
        "  help                    Help about any command\n\n",
        "Flags:\n  -h, --help   help for smlogs\n\n",
        'Use "smlogs [command] --help" for more information about a command.\n',
    ]
    text = texts.root()
    places = [text.index(fact) for fact in facts]
    assert places == sorted(places)
    assert places[0] == 0
    assert text.endswith(facts[-1])
