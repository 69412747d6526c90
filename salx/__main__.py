"""`python -m salx COMMAND`: see salx.commands."""

import sys

from salx.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
