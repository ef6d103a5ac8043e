"""The kinds of `sagemaker.aws.amazon.com/v1`: descriptors, schema generation and conversion; no I/O."""
