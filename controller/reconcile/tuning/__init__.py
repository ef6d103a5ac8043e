"""What tuning jobs have beyond other jobs: TrainingJob objects for the training jobs they launch."""
