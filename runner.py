"""Door for a checkout: ``python runner.py script.py`` runs the package in ``src`` without installing it."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "src"))

if __name__ == "__main__":
    from runner.cli.main import main

    main()
else:  # `import runner` from the checkout's root found this file first: give way to the package
    del sys.modules[__name__]
    import runner  # noqa: F401
