"""Composition root: settings, wiring, schedule, vault, logs, systemd, command line."""
