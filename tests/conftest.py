"""What every test needs."""

import sys

import pytest


@pytest.fixture(autouse=True)
def without_lazy_modules():
    """Removes the modules of SpeechBrain that import something on any access, and fail without optional packages.

    Hypothesis looks at every module there is.
    """
    yield
    for name, module in list(sys.modules.items()):
        if type(module).__module__ == "speechbrain.utils.importutils":
            del sys.modules[name]
