"""Bad inputs from grammars, and what must hold for every one of them.

A grammar is a module with `make(ground) -> Case`: from a seed it writes a small tree of files and
gives a command line. About one case in eight is good, so that the others are known to differ from
something that works. `rules.py` has what must hold, `running.py` how a case is run: in this
process, or as one of its own. One case again, with all that it printed:

    python -m tests.fuzz GRAMMAR SEED [--process]
"""
