"""The life-cycle of tuning jobs: that of jobs, with TrainingJob objects for the training jobs that they launch."""
