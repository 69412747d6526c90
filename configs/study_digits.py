"""Everything at once on handwritten digits: five policies, three networks, a lineage, potentials.

    python -m salx.main --config=configs/study_digits.py --workdir=W

Data: the 1,797 real handwritten digits that scikit-learn carries; no download.
Recipe: the quickstart's, 150 steps of 16; entropy, learning loss, Core-Set, true loss (an oracle)
and random, ten cycles from 2 % (29 labels) to 20 % (287), measured after each, three seeds. In
the lineage res8 chooses cycles 0 to 3, res14 goes on to 6, res20 to 9.
Cost: 1,500 trainings of 150 steps: 17 minutes on 2 CPU cores by the quickstart's step times, with
scoring and evaluation about half an hour.
Expect: as the quickstart, 96 to 98 % for chosen data and 93 to 95 % for random data at 287.
Word `small`, as `study_digits.py:small`: 1 seed; 3 cycles to 6 % of the pool; 8 steps of 4 images
at rate 0.01; batches of 4 for scores and evaluation. It takes a minute on 2 cores and says
nothing about accuracy.
"""

from salx import recipes


def get_config(argument: str = ""):
    config = recipes.digits(argument)
    config.name = "study_digits"
    recipes.generations(config, "res8", "res14", "res20")
    recipes.curves(config)
    return config
