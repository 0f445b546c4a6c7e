"""How syncing works: poll, diff, brake, policy, streams, listings; no I/O library."""
