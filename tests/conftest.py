"""Settings every test shares."""

import os

from hypothesis import settings

# No test, and no process a test starts, writes into the register of whoever runs it.
os.environ["ALLOCATOR_REGISTER"] = "off"

# A slow machine is not a wrong answer.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")
