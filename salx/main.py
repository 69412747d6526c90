"""`python -m salx.main --config=configs/X.py --workdir=W`: a whole study, or the rest of it.

The same as `python -m salx study`; salx.commands.study explains it.
"""

import sys

from salx.commands import main

if __name__ == "__main__":
    sys.exit(main(["study", *sys.argv[1:]]))
