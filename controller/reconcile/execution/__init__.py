"""The life-cycle of pipeline executions: that of jobs, with an ARN that AWS chooses in place of a name."""
