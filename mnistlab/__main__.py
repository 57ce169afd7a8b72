"""The `mnistlab` command, also as `python -m mnistlab`."""

import gc
import sys

# Objects made before Python looks for garbage in cycles. By itself it looks hundreds of times while
# a page is drawn, each time through all that is loaded, and finds next to nothing.
OBJECTS_BEFORE_COLLECTION = 100_000


def main() -> None:
    """Load the command line and run it; Ctrl-C ends the loading without a traceback."""
    gc.set_threshold(OBJECTS_BEFORE_COLLECTION)
    try:
        from mnistlab import cli
    except KeyboardInterrupt:
        sys.exit(130)
    cli.main()


if __name__ == "__main__":
    main()
