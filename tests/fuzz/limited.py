"""`python -m tests.fuzz.limited FOLDER FILE_LIMIT ENCODING WORDS...`: the command within bounds.

It runs `salx WORDS...` in FOLDER, with so much more memory than this process has by now, and with
files of at most FILE_LIMIT bytes, if that is not 0: writing more fails, as it does on a full disk.
What it prints has the ENCODING.
"""

import os
import resource
import runpy
import sys

MEMORY = 6 * 2**30  # bytes of addresses; what XLA's threads reserve is among them


def main() -> None:
    """Become the command."""
    folder, file_limit, encoding, *words = sys.argv[1:]
    os.chdir(folder)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding=encoding, errors=stream.errors)
    pages = int(open("/proc/self/statm").read().split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    if int(file_limit):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(file_limit), int(file_limit)))
    sys.argv = ["salx", *words]
    runpy.run_module("salx", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
