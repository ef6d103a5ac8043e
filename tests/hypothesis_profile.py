"""Makes hypothesis independent of how fast the machine is. Import it before `hypothesis.settings` is used."""

from hypothesis import HealthCheck, settings

settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")
