"""What a kind of `sagemaker.aws.amazon.com/v1` is: descriptors, schema generation and conversion; no I/O."""
