"""Reads SageMaker's state changes from SQS queues that EventBridge fills: hints for the trackers of jobs."""
