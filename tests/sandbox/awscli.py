"""`aws sagemaker-runtime invoke-endpoint` of the guide on a machine without the AWS CLI: the same call by botocore."""

import argparse
import json
from pathlib import Path

import botocore.session


def main() -> None:
    """Write the answer's body to the file that is named, and what it is to standard output, as the AWS CLI does."""
    parser = argparse.ArgumentParser(prog="aws")
    parser.add_argument("service", choices=["sagemaker-runtime"])
    parser.add_argument("operation", choices=["invoke-endpoint"])
    for flag in ("--region", "--endpoint-name", "--body", "--content-type"):
        parser.add_argument(flag, required=True)
    parser.add_argument("outfile", type=Path)
    asked = parser.parse_args()
    client = botocore.session.get_session().create_client(asked.service, region_name=asked.region)
    answer = client.invoke_endpoint(
        EndpointName=asked.endpoint_name, ContentType=asked.content_type, Body=asked.body.encode()
    )
    asked.outfile.write_bytes(answer["Body"].read())
    print(json.dumps({"InvokedProductionVariant": answer["InvokedProductionVariant"]}))


if __name__ == "__main__":
    main()
