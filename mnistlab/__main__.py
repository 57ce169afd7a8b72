"""The `mnistlab` command, also as `python -m mnistlab`."""

import sys


def main() -> None:
    """Load the command line and run it; Ctrl-C ends the loading without a traceback."""
    try:
        from mnistlab import cli
    except KeyboardInterrupt:
        sys.exit(130)
    cli.main()


if __name__ == "__main__":
    main()
