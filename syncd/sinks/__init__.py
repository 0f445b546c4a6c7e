"""One push target a module."""
