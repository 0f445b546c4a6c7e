"""The command line, a client of the daemon (design decision 9)."""
