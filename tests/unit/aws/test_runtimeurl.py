"""Where endpoints are invoked, per partition."""

from controller.aws.runtimeurl import invocation_url
from tests.tables import each_row


@each_row(
    ("region", "partition", "host"),
    [
        ("us-east-2", "aws", "runtime.sagemaker.us-east-2.amazonaws.com"),
        ("us-gov-west-1", "aws-us-gov", "runtime.sagemaker.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "aws-cn", "runtime.sagemaker.cn-north-1.amazonaws.com.cn"),
        ("eusc-de-east-1", "aws-eusc", "runtime.sagemaker.eusc-de-east-1.amazonaws.eu"),
        ("us-iso-east-1", "aws-iso", "runtime.sagemaker.us-iso-east-1.c2s.ic.gov"),
        ("xx-new-1", "aws-new", "runtime.sagemaker.xx-new-1.amazonaws.com"),
    ],
)
def test_the_url_is_of_the_regions_partition(region: str, partition: str, host: str) -> None:
    """v1-kinds.md 8, D-33."""
    assert invocation_url(region, partition, "host") == f"https://{host}/endpoints/host/invocations"
