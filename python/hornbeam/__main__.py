"""``python -m hornbeam`` is the ``hornbeam`` command."""

import sys

from .cli import main

sys.exit(main())
