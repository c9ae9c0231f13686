"""Hypothesis without deadlines: other work on the machine must not fail a test."""

from hypothesis import settings

settings.register_profile("portal", deadline=None)
settings.load_profile("portal")
