"""``python -m syncd`` and the command ``syncd``."""

from syncd.runtime.cli import main

if __name__ == "__main__":
    main()
