"""The embedded SageMaker: moto's server, extended with job life-cycles, logs and faults on request."""
