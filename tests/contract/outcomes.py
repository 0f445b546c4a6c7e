"""A pytest plugin that keeps how each test ended; it imports no test, so that pytest can."""

import pytest

SUITE = ("test_provider", "test_powers", "test_outages", "test_faults")  # files over all stages


class Outcomes:
    """``ended`` says of each test that was called, or could not be, whether it passed."""

    def __init__(self) -> None:
        self.ended = dict[str, bool]()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or not report.passed:
            self.ended[report.nodeid] = report.passed and self.ended.get(report.nodeid, True)
