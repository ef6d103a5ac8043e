"""Leader election by Lease, and the fence that stops effects of a process that lost the lease."""
