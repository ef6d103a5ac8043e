"""The embedded SageMaker: moto's server, plus the lives of jobs and endpoints, their logs and scaling, and faults on request."""
