"""The life-cycle of autoscaling policies: scalable targets and policies of endpoint variants."""
