"""Settings every test shares."""

from hypothesis import settings

# A slow machine is not a wrong answer.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")
