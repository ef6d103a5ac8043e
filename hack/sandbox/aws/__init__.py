"""The embedded SageMaker: moto's server, plus life-cycles of jobs and endpoints, logs, scaling and injected faults."""
