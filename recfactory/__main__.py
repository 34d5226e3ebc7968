"""`python -m recfactory`."""

import sys

from recfactory.cli import main

sys.exit(main())
