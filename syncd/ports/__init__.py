"""The small Protocols between rooms; imports only ``model``."""
