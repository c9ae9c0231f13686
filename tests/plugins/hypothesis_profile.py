"""Hypothesis without deadlines and without chance: the same examples in every run, busy or not."""

from hypothesis import settings

# Other work on the machine must not fail a test, and what failed once fails again.
settings.register_profile("portal", deadline=None, derandomize=True, database=None)
settings.load_profile("portal")
