"""The kubectl plugin `kubectl-smlogs`: a job's CloudWatch logs, found by its Kubernetes object."""
