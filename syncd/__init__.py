"""syncd: follow every connected calendar through one durable activity stream."""

__version__ = "0.1.0"
