"""Settings every test shares."""

import os

from hypothesis import Phase, settings

# No test, and no process a test starts, writes into the register of whoever runs it.
os.environ["ALLOCATOR_REGISTER"] = "off"

# A slow machine is not a wrong answer.
settings.register_profile("steady", deadline=None)
# Where only pass or fail is asked (tests/mutants.py), no smaller example is looked for.
settings.register_profile("verdict", deadline=None, phases=(Phase.explicit, Phase.generate), database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
