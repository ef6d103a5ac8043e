"""Makes hypothesis independent of how fast the machine is. Import it before `hypothesis.settings` is used.

Each run tries the same examples; `pytest --hypothesis-profile=search tests/property` looks for new ones.
"""

from hypothesis import HealthCheck, settings

settings.register_profile("ours", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", settings.get_profile("ours"), derandomize=False, max_examples=1000)
settings.load_profile("ours")
