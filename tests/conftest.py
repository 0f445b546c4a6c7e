"""What all tests share."""

import signal

import pytest

pytest.register_assert_rewrite("tests.contract.rig", "tests.journeys", "tests.witness")

# a shell starts what runs in the background deaf to this, and what we start would inherit that
signal.signal(signal.SIGINT, signal.default_int_handler)
