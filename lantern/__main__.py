"""`python -m lantern ...` is `lantern ...`."""

import sys

from lantern.cli import main

if __name__ == "__main__":
    sys.exit(main())
