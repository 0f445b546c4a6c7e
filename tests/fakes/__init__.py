"""Stand-ins for ports; what a real one promises, these hold too."""
