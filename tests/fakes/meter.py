"""A meter that can be read."""

from collections import Counter


class FakeMeter:
    """Sums counters by name, labels aside."""

    def __init__(self) -> None:
        self.counts = Counter[str]()

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        assert all(isinstance(value, str) for value in labels.values())
        self.counts[name] += amount

    def observe(self, name: str, value: float, **labels: str) -> None:
        assert value >= 0, (name, labels)
