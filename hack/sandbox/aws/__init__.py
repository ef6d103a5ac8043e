"""The embedded SageMaker: moto's server, plus the lives of jobs and endpoints, logs, scaling and faults on request."""
