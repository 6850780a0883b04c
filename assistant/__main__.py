"""``python -m assistant`` is the command ``voicecart``."""

import sys

from assistant.commands.main import main

sys.exit(main())
