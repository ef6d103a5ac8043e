"""The operator's process: informers, work queues, reconcilers, leader election and metrics."""
