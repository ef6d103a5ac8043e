"""The life-cycle of a HostingDeployment: one endpoint, with the models and configurations it serves."""
