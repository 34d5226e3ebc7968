"""`python -m recfactory`."""

import sys

from recfactory.cli import main

if __name__ == "__main__":
    sys.exit(main())
