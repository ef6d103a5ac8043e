"""A run from the object to the last line, over a scripted cluster and a scripted AWS: what is said, and when."""

import io
from typing import Any

import pytest

from api.meta import ObjectKey
from controller.aws.errors import AwsError, CallError
from controller.runtime.errors import ErrorClass
from controller.smlogs.app import Session, SmlogsError
from controller.smlogs.cluster import GIVE_UP_S, Lookup
from controller.smlogs.command_line.flags import UsageError
from controller.smlogs.command_line.options import Options, read
from controller.smlogs.kubectl import FORBIDDEN, NOT_FOUND, NOT_SERVED, UNAUTHORIZED, UNREACHABLE, KubectlError
from tests.fakes import Answers, FakeClock
from tests.tables import each_row
from tests.unit.smlogs.fakes import moving, output

SYNCHRONIZING = {"trainingJobStatus": "SynchronizingK8sJobWithSageMaker"}
RUNNING = {"trainingJobStatus": "InProgress", "secondaryStatus": "Training", "sageMakerTrainingJobName": "job-1"}
ENDED = {"trainingJobStatus": "Failed", "sageMakerTrainingJobName": "job-1", "additional": "AlgorithmError: no"}
STALLED = {"conditions": [{"type": "Stalled", "status": "True", "reason": "Invalid", "message": "roleArn is wrong"}]}
LINE = {"logStreamName": "job-1/algo-1-1", "eventId": "1", "timestamp": 1000, "message": "hello"}
REFUSED = KubectlError(ErrorClass.RETRYABLE, UNREACHABLE, "The connection to the server was refused")
ABSENT = KubectlError(ErrorClass.NOT_FOUND, NOT_FOUND, "x")


class Cluster:
    """A `Source` that answers each question with the next status, or error, the last one for ever."""

    def __init__(self, *answers: dict[str, Any] | Exception, spec: dict[str, Any] | None = None) -> None:
        self.answers = list(answers)
        self.spec = {"region": "us-east-2"} if spec is None else spec
        self.asked: list[ObjectKey] = []

    def get(self, resource: Any, name: str) -> dict[str, Any]:
        """See `Source.get`."""
        return self.get_again(resource, ObjectKey("team", name))

    def get_again(self, resource: Any, key: ObjectKey, *, timeout_s: int = 0) -> dict[str, Any]:
        """See `Source.get_again`."""
        self.asked.append(key)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        metadata = {"name": key.name, "namespace": key.namespace, "uid": "1"}
        return {"metadata": metadata, "spec": self.spec, "status": answer}


class Run:
    """One run of the plugin."""

    def __init__(self, cluster: Cluster, *words: str, aws: Answers | None = None) -> None:
        wanted = read(["trainingjob", "job", *words])
        assert isinstance(wanted, Options)
        clock = FakeClock()
        self.out, self.err = io.StringIO(), io.StringIO()
        self.aws = aws or Answers(FilterLogEvents=[{"events": [LINE]}])
        session = Session(wanted, {}, output(self.out, self.err), clock, moving(clock), self.aws)
        self.error = ""
        try:
            session.run(Lookup(cluster, wanted.kind, wanted.name, clock))
        except SmlogsError as error:
            self.error = str(error)

    @property
    def said(self) -> list[str]:
        """Lines on standard error."""
        return self.err.getvalue().splitlines()


def denied(operation: str, code: str = "AccessDeniedException") -> CallError:
    """A refusal."""
    return AwsError(ErrorClass.DENIED, code, "User x is not authorized", operation=operation)


HEADER = (
    '"job" has SageMaker TrainingJobName "job-1" in region "us-east-2", status "InProgress" and secondary status '
    '"Training"'
)


def test_the_header_comes_first_and_the_lines_are_printed() -> None:
    """And nothing else is said."""
    run = Run(Cluster(RUNNING))
    assert (run.error, run.said, run.out.getvalue()) == ("", [HEADER], "hello\n")


@each_row(
    ("answer", "words"),
    [
        (
            ABSENT,
            'TrainingJob "job" not found; "kubectl get TrainingJob --all-namespaces" lists those that are there',
        ),
        (
            KubectlError(ErrorClass.DENIED, NOT_SERVED, "x"),
            "the cluster does not serve TrainingJob (sagemaker.aws.amazon.com): are the operator's CRDs installed?",
        ),
        (KubectlError(ErrorClass.DENIED, UNAUTHORIZED, "x"), "the cluster does not accept your credentials: x"),
        (KubectlError(ErrorClass.DENIED, FORBIDDEN, "no"), "the cluster does not let you do this: no"),
        (REFUSED, "the cluster cannot be reached: The connection to the server was refused"),
        (
            KubectlError(ErrorClass.INVALID, "Kubectl", 'error: context "x" does not exist'),
            'context "x" does not exist',
        ),
        (
            KubectlError(ErrorClass.DENIED, "NoKubectl", "No such file or directory: 'kubectl'"),
            "kubectl is needed to find the TrainingJob, and is not on PATH: No such file",
        ),
        ({}, 'TrainingJob "job" has not been created in SageMaker yet: it has no status; does the operator run, and '),
        (
            SYNCHRONIZING,
            (
                'TrainingJob "job" has not been created in SageMaker yet: its status is '
                '"SynchronizingK8sJobWithSageMaker"'
            ),
        ),
        (
            SYNCHRONIZING | {"additional": "ResourceLimitExceeded: 0 instances"},
            'TrainingJob "job" has not been created in SageMaker yet: ResourceLimitExceeded: 0 instances',
        ),
        (STALLED, 'TrainingJob "job" was not created in SageMaker: Invalid: roleArn is wrong'),
    ],
)
def test_what_keeps_it_from_reading_is_said(answer: dict[str, Any] | Exception, words: str) -> None:
    """One line that says what is wrong and, where there is something, what to do; AWS is not asked."""
    run = Run(Cluster(answer))
    assert run.error.startswith(words)
    assert run.aws.requests == []


def test_a_name_alone_does_not_mean_that_it_exists() -> None:
    """The operator writes the name before it creates the job: no lines then means "not created yet"."""
    cluster = Cluster(SYNCHRONIZING, spec={"region": "us-east-2", "trainingJobName": "job-1"})
    run = Run(cluster, aws=Answers(FilterLogEvents=[{"events": []}]))
    assert run.error.startswith('TrainingJob "job" has not been created in SageMaker yet')


@pytest.mark.guide("F-3g")
def test_without_a_region_it_says_where_to_put_one() -> None:
    """Guide F-3g: an error when it is missing."""
    assert Run(Cluster(RUNNING, spec={})).error == 'TrainingJob "job" names no region: set spec.region'


@pytest.mark.parametrize(
    ("status", "words", "said"),
    [
        (RUNNING, [], 'TrainingJob "job" has written no log lines yet; its status is InProgress/Training'),
        (ENDED, [], 'TrainingJob "job" wrote no log lines; it ended with status Failed: AlgorithmError: no'),
        (
            RUNNING,
            ["--since=5m"],
            'TrainingJob "job" has no log lines that match; its status is InProgress/Training',
        ),
    ],
)
def test_an_empty_log_is_explained_and_no_failure(status: dict[str, Any], words: list[str], said: str) -> None:
    """Nothing went wrong: the job just has not written anything."""
    run = Run(Cluster(status), *words, aws=Answers(FilterLogEvents=[{"events": []}]))
    assert (run.error, run.said[1:], run.out.getvalue()) == ("", [said], "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], ['TrainingJob "job" has written no log lines yet; its status is InProgress/Training; waiting for them']),
        (["--tail=0"], []),
    ],
    ids=["all lines", "new lines only"],
)
def test_a_log_group_that_does_not_exist_yet_is_waited_for(words: list[str], said: list[str]) -> None:
    """CloudWatch makes it with the first line of the first job in an account."""
    missing = AwsError(ErrorClass.NOT_FOUND, "ResourceNotFoundException", "no group", operation="FilterLogEvents")
    aws = Answers(FilterLogEvents=[missing, missing, {"events": [LINE]}])
    run = Run(Cluster(RUNNING, RUNNING, ENDED), "-f", *words, aws=aws)
    assert run.error == ""
    assert run.said[1:-1] == said


@each_row(
    ("failure", "words"),
    [
        (
            denied("FilterLogEvents"),
            (
                "access denied: your AWS identity lacks the IAM action logs:FilterLogEvents on log group "
                '"/aws/sagemaker/TrainingJobs" (User x is not authorized)'
            ),
        ),
        (
            denied("FilterLogEvents", "Credentials"),
            "no usable AWS credentials: User x is not authorized; set them up as for the AWS CLI",
        ),
        (denied("FilterLogEvents", "ExpiredTokenException"), "no usable AWS credentials: "),
        (
            AwsError(ErrorClass.THROTTLED, "ThrottlingException", "Rate exceeded", operation="FilterLogEvents"),
            "AWS goes on refusing logs:FilterLogEvents as too frequent; try again later (Rate exceeded)",
        ),
        (
            AwsError(ErrorClass.RETRYABLE, "EndpointUnreachable", "no route", operation="FilterLogEvents"),
            'logs:FilterLogEvents in region "us-east-2" failed: EndpointUnreachable: no route',
        ),
    ],
)
def test_a_refusal_of_aws_names_what_is_missing(failure: CallError, words: str) -> None:
    """The IAM action, the credentials, or patience."""
    assert Run(Cluster(RUNNING), aws=Answers(FilterLogEvents=[failure])).error.startswith(words)


def test_following_waits_until_the_job_is_created() -> None:
    """`kubectl apply` and `kubectl smlogs -f` may follow each other directly."""
    run = Run(Cluster({}, SYNCHRONIZING, RUNNING, ENDED), "-f")
    assert run.said == [HEADER, 'TrainingJob "job" has ended with status "Failed": AlgorithmError: no']
    assert run.out.getvalue() == "hello\n"


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (({}, STALLED), 'TrainingJob "job" was not created in SageMaker: Invalid: roleArn is wrong'),
        (({}, ABSENT), 'TrainingJob "job" was deleted'),
    ],
    ids=["stalled", "deleted"],
)
def test_following_does_not_wait_for_what_will_never_be(
    answers: tuple[dict[str, Any] | Exception, ...], words: str
) -> None:
    """An invalid spec, an object that was deleted."""
    assert Run(Cluster(*answers), "-f").error == words


def test_a_cluster_that_is_out_of_reach_for_a_while_does_not_end_following() -> None:
    """The lines come from AWS; only the end of the job comes from the cluster."""
    run = Run(Cluster(RUNNING, REFUSED, REFUSED, ENDED), "-f")
    assert run.error == ""
    assert run.said[-1].startswith('TrainingJob "job" has ended')


def test_a_cluster_that_stays_out_of_reach_ends_following() -> None:
    """Nobody would ever tell that the job has ended."""
    cluster = Cluster(RUNNING, REFUSED)
    run = Run(cluster, "-f")
    assert run.error.startswith("the cluster cannot be reached")
    assert len(cluster.asked) > GIVE_UP_S / 10


def test_a_cluster_that_refuses_ends_following_at_once() -> None:
    """Rights do not come back by waiting, as connections do."""
    cluster = Cluster(RUNNING, KubectlError(ErrorClass.DENIED, FORBIDDEN, "no"))
    assert Run(cluster, "-f").error == "the cluster does not let you do this: no"
    assert len(cluster.asked) == 2


@pytest.mark.parametrize(("words", "attempts"), [([], 5), (["-f"], 12)], ids=["reading", "following"])
def test_a_follower_is_more_patient_with_aws(words: list[str], attempts: int) -> None:
    """Who reads wants an answer soon; who follows, that it goes on."""
    failure = AwsError(ErrorClass.RETRYABLE, "ServiceUnavailable", "down", operation="FilterLogEvents")
    run = Run(Cluster(RUNNING), *words, aws=Answers(FilterLogEvents=[failure]))
    assert run.error.endswith("failed: ServiceUnavailable: down")
    assert len(run.aws.requests) == attempts


def test_following_prints_the_same_lines_as_reading() -> None:
    """And each of them once, although every poll finds it again."""
    events = [{**LINE, "eventId": str(number), "message": f"line {number}"} for number in range(5)]
    followed, once = (
        Run(Cluster(RUNNING, ENDED), *words, aws=Answers(FilterLogEvents=[{"events": events}]))
        for words in (["-f"], [])
    )
    assert followed.out.getvalue() == once.out.getvalue()
    assert len(followed.aws.requests) > 3


def test_it_looks_again_where_the_object_was_found() -> None:
    """Which namespace that is, flags and kubeconfig say, and kubectl reads them."""
    cluster = Cluster(RUNNING, ENDED)
    Run(cluster, "-f")
    assert cluster.asked == [ObjectKey("team", "job")] * 2


def test_a_usage_error_is_no_run() -> None:
    """The command line is read before anything is connected."""
    with pytest.raises(UsageError):
        Run(Cluster(RUNNING), "--what")
