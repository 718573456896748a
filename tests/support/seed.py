"""Where random cases begin: ``TEST_SEED``. ``make test`` takes the commit, so that new commits try new cases.

One commit is tried in the same way wherever it is tested. Without the variable each run of pytest is another one.
"""

from __future__ import annotations

import os
import random


def base_seed() -> int:
    """Return the number from which a test makes its seeds."""
    given = os.environ.get("TEST_SEED")
    return random.SystemRandom().randrange(10**9) if given is None else int(given)
