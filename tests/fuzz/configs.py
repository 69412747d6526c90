"""Studies: fields of wrong types and ranges, unknown ones, and config files that misbehave."""

from tests.fuzz import odd
from tests.fuzz.case import ANY, FAILED, GOOD, REFUSED, Case, Ground

# The study that is spoiled: it is planned, not run.
BASE = """\
from salx.study.config import base


def get_config():
    config = base()
    config.models.a = {{"name": "cifar_resnet8", "width": 4}}
    config.models.b = {{"name": "cifar_resnet8", "width": 6}}
    config.surrogates = ("a", "b")
    config.deployments = ("a",)
    config.cycles = 2
    config.seeds = 1
    config.budget = 0.04
    config.train.batch = 8
    config.train.steps = 4
    with config.unlocked(), config.ignore_type():
        {change}
    return config
"""
PLAN = ("study", "--config=c.py", "--workdir=w", "--plan")
WHOLE = (
    *("seeds", "cycles", "train.batch", "train.accumulate", "train.steps", "train.threads"),
    *("train.workers", "train.log_every", "train.save_every", "score.batch", "evaluate.batch"),
    *("dataset.resize", "transform.pad", "transform.evaluate_resize"),
)
REAL = (
    *("budget", "train.learning_rate", "train.warmup", "train.momentum", "train.weight_decay"),
    *("train.beta1", "train.beta2", "train.epsilon", "train.epochs", "transform.jitter"),
)
TEXT = (
    *("name", "dataset.name", "dataset.on_error", "dataset.cache", "transform.train"),
    *("transform.evaluate", "train.schedule", "train.optimizer"),
)
TRUTH = ("potentials", "transform.flip", "telemetry.progress", "telemetry.tensorboard")
LABELS = ("surrogates", "deployments", "policies")
PAIRS = ("transform.size", "transform.evaluate_size", "transform.area", "transform.scale")
SECTIONS = (
    *("models", "lineages", "ensembles", "options", "dataset", "transform"),
    *("train", "score", "evaluate", "telemetry"),
)
NO_LABELS = (
    *("3", "None", "float('nan')", "('nope',)", "(3,)", "(None,)", "()", "('a', 'a')", "{'a': 1}"),
    *("(('a',),)", "[['a']]", "('a/b',)", "('',)", "('a', 3)", "True", "b'a'", "('x' * 300,)"),
)
NO_PAIRS = (
    *("3", "None", "(8,)", "(8, 8, 8)", "(-8, 8)", "('8', '8')", "(8, None)", "'8,8'", "((8, 8),)"),
    *("(float('nan'), 8)", "(8, float('inf'))", "{}", "(10**20, 8)", "(True, True)", "(8, 0)"),
)
# Whole statements, each of which must be refused.
STATEMENTS = (
    *(f"config.models.a = {value}" for value in ("3", "None", "{}", "{'width': 4}", "[]", "'a'")),
    *(f"config.models.a.name = {value}" for value in ("3", "None", "''", "'nope'", "[]", "'a:b'")),
    *(f"config.models.a.width = {value}" for value in odd.NO_WHOLE),
    "config.models.a.width = 10**6",
    "config.models.a.width = 0",
    "config.models.a.nope = 3",
    "config.models.a.classes = 3",
    *(f"config.models.a.train = {value}" for value in ("3", "None", "{'steps': -1}", "{'n': 1}")),
    *(f"config.models.a.train = {{'steps': {value}}}" for value in odd.NO_WHOLE),
    *(f"config.models.a.train = {{'momentum': {value}}}" for value in odd.NO_REAL),
    *(f"config.models.a.pretrained = {value}" for value in ("3", "[]", "True", "float('nan')")),
    *(
        f"config.models[{label}] = {{'name': 'cifar_resnet8'}}"
        for label in ("''", "'a/b'", "'a b'", "'..'", "'é'", "'a' * 250", "'a\\0b'", "'a\\n'")
    ),
    *(f"config.lineages.l = {value}" for value in ("3", "None", "()", "('nope',)", "('a',) * 9")),
    *(f"config.lineages.l = {value}" for value in ("(3,)", "{'a': 1}", "(('a',),)", "True")),
    "config.lineages.a = ('a',)",
    *(
        f"config.ensembles.e = {value}"
        for value in (
            *("3", "None", "{}", "{'members': ('a',)}", "{'members': ('a', 'a')}", "('a', 'b')"),
            *("{'members': 3}", "{'members': None}", "{'members': ('a', 3)}", "{'model': 'a'}"),
            "{'model': 'a', 'weight_seeds': 1}",
            *(f"{{'model': 'a', 'weight_seeds': {value}}}" for value in odd.NO_WHOLE),
            *(f"{{'model': 'a', 'generations': {value}}}" for value in ("10**6", "'2'", "None")),
            "{'model': None, 'weight_seeds': 2}",
            "{'members': ('a', 'b'), 'model': 'a'}",
        )
    ),
    *(f"config.options.entropy = {value}" for value in ("3", "None", "{'nope': 1}", "[]")),
    *(f"config.options.entropy = {{'name': {value}}}" for value in ("3", "None", "''", "'nope'")),
    *(
        f"config.options.entropy = {{'aggregation': {value}}}"
        for value in ("3", "None", "'nope'", "[]", "float('nan')", "{}")
    ),
    "config.options.nope = {}",
    *(f"config.deploy_cycles = {value}" for value in ("3", "None", "(2,)", "(-1,)", "('0',)")),
    *(f"config.deploy_cycles = {value}" for value in ("(0.5,)", "(float('nan'),)", "(10**20,)")),
    *(f"config.train.steps = config.train.epochs = {value}" for value in ("0", "3")),
    *(f"config.{name} = 1" for name in ("nope", "train.nope", "score.nope", "transform.nope")),
    *(f"config.{name} = 1" for name in ("dataset.nope", "telemetry.nope", "evaluate.nope")),
    "config.train.momentum = 7",
    "config.train.batch = 7",
    "config.train.batch = 10**6",
    "config.policies = ('entropy', 'entropy')",
    "config.policies = ('random',)",
    "config.policies = ('learning_loss', 'nope')",
    "config.dataset = {'name': 'folder', 'dir': ''}",
    "config.dataset = {'name': 'folder', 'dir': 3}",
    "config.dataset = {'name': 'folder', 'dir': 'gone'}",
    "config.dataset = {'name': 'nowhere:load'}",
    "config.dataset = {'name': 'sys:exit'}",
    "config.dataset = {}",
)
# Bodies of config files; what they do must end in one line.
FILES = {
    "raises": "def get_config():\n    raise ValueError('no')\n",
    "raises many lines": "def get_config():\n    raise ValueError('one\\ntwo\\n\\nthree')\n",
    "raises without words": "def get_config():\n    raise ValueError\n",
    "raises at import": "raise RuntimeError('no')\n",
    "raises a KeyError": "def get_config():\n    return {}['seeds']\n",
    "asserts": "def get_config():\n    assert False\n",
    "exits with 0": "import sys\n\n\ndef get_config():\n    sys.exit(0)\n",
    "exits with 3": "import sys\n\n\ndef get_config():\n    sys.exit(3)\n",
    "exits with a text": "import sys\n\nsys.exit('bye')\n",
    "exits without a code": "raise SystemExit\n",
    "raises BaseException": "def get_config():\n    raise BaseException('no')\n",
    "raises GeneratorExit": "def get_config():\n    raise GeneratorExit\n",
    "imports what is not there": "import nowhere_at_all\n",
    "imports itself": "import c\n\n\ndef get_config():\n    return c.get_config()\n",
    "imports in a loop": "from c import other\n\nother = 1\n",
    "is no Python": "def get_config(:\n",
    "has tabs and spaces": "def get_config():\n\tif 1:\n        return 3\n",
    "is empty": "",
    "has no get_config": "CONFIG = 3\n",
    "has another get_config": "get_config = 3\n",
    "wants an argument": "def get_config(small):\n    return small\n",
    "wants two arguments": "def get_config(a, b):\n    return a\n",
    "returns None": "def get_config():\n    return None\n",
    "returns a number": "def get_config():\n    return 3\n",
    "returns a text": "def get_config():\n    return 'seeds'\n",
    "returns a list": "def get_config():\n    return [1, 2]\n",
    "returns a class": "class get_config:\n    pass\n",
    "returns an empty dict": "def get_config():\n    return {}\n",
    "yields": "def get_config():\n    yield 3\n",
    "calls itself": "def get_config():\n    return get_config()\n",
    "takes all memory": "def get_config():\n    return bytes(2**45)\n",
    "divides by 0": "def get_config():\n    return 1 / 0\n",
    "has a NUL": "def get_config():\n    return '\0'\n",
    "has another encoding": "# coding: nope\n",
    "has half a pair": "def get_config():\n    raise ValueError('\\ud800')\n",
    "raises an odd error": (
        "class Odd(Exception):\n    def __str__(self):\n        raise ValueError('no')\n\n\n"
        "def get_config():\n    raise Odd\n"
    ),
    "raises a group": "def get_config():\n    raise ExceptionGroup('g', [ValueError('a')])\n",
}
FLAGS = (
    *("--config.nope=1", "--config.train.nope=1", "--config.models.nope.width=1", "--config.=1"),
    *("--config.models.a.width=x", "--config.seeds=x", "--config.seeds=1.5", "--config.seeds="),
    *("--config.seeds=nan", "--config.seeds=-1", "--config.seeds=100000000000000000000"),
    *("--config.budget=nan", "--config.budget=inf", "--config.budget=1e999", "--config.budget=x"),
    *("--config.train.momentum=7", "--config.train.weight_decay=-1", "--config.train.steps=-3"),
    *("--config.train.save_every=-3", "--config.train.workers=100000", "--config.cycles=0"),
    *("--config.surrogates=a,b,c", "--config.surrogates=()", "--config.surrogates=('a',"),
    *("--config.policies=('entropy','entropy')", "--config.policies=()", "--config.dataset=3"),
    *("--config.train=3", "--config.models=3", "--config.models.a=3", "--config.telemetry=no"),
    *("--config.potentials=maybe", "--config.models.a.name=", "--config.models.a.width=1000000"),
    *("--plan=0", "--plan=-1", "--plan=x", "--plan=1000000000", "--plan=nan", "--plan=1.5"),
    *("--worker=1/1", "--worker=x", "--worker=0/0", "--worker=-1/2", "--worker=0/1000000000"),
    *("--worker=", "--worker=0", "--worker=1/2/3", "--processes=0", "--processes=x"),
    *("--step_seconds=a", "--step_seconds=a=x", "--step_seconds=nope=1", "--step_seconds=a=-1"),
    *("--step_seconds=a=nan", "--step_seconds=a=inf", "--step_seconds==", "--nope", "--nope=3"),
    *("stray", "--workdir=", "--workdir=c.py", "--workdir=c.py/w", "--workdir=s3://b/k"),
    *("--workdir=gs://", "--workdir=/proc/w", "--config=", "--config=gone.py", "--config=w"),
    *("--config=.", "--config=c.py:small:x", "--config=c.txt", "--verbosity=x", "--config=c"),
)
HEAD = "the config file "


def make(ground: Ground) -> Case:
    """A study with one thing wrong, or with nothing."""
    kinds = (_field,) * 6 + (_statement,) * 5 + (_file, _file, _flag, _flag, _spoiled)
    return ground.rng.choice(kinds)(ground)


def _planned(ground: Ground, change: str, about: str, codes: frozenset[int]) -> Case:
    ground.write("c.py", BASE.format(change=change))
    return Case(PLAN, about, codes)


def _field(ground: Ground) -> Case:
    """A field with a value of another type or out of its range."""
    rng = ground.rng
    if ground.is_good:
        change = rng.choice(("config.seeds = 2", "config.policies = ('core_set',)", "pass"))
        return _planned(ground, change, "a good study", GOOD)
    kinds = (
        *((WHOLE, odd.NO_WHOLE), (REAL, odd.NO_REAL), (TEXT, odd.NO_TEXT), (PAIRS, NO_PAIRS)),
        *((LABELS, NO_LABELS), (SECTIONS, ("3", "None", "'x'", "[]", "True", "(1, 2)"))),
        (TRUTH, ("'yes'", "2", "None", "float('nan')", "[]", "{}", "'False'")),
        (TEXT, tuple(f"{text[:300]!a}" for text in odd.TEXTS)),
    )
    names, values = rng.choice(kinds)
    name, value = rng.choice(names), rng.choice(values)
    sure = values[0] != "''" and not (name in ("train.beta1", "train.momentum") and value == "0")
    change = f"config.{name} = {value}"
    return _planned(ground, change, change[:80], REFUSED if sure else ANY)


def _statement(ground: Ground) -> Case:
    change = ground.rng.choice(STATEMENTS)
    return _planned(ground, change, change[:80], REFUSED)


def _file(ground: Ground) -> Case:
    """A config file that is no study."""
    kind = ground.rng.choice([*FILES])
    ground.write("c.py", FILES[kind])
    return Case(PLAN, HEAD + kind, REFUSED, alone=True)


def _flag(ground: Ground) -> Case:
    """A good file, with a flag that is wrong."""
    ground.write("c.py", BASE.format(change="pass"))
    if ground.is_good:
        return Case((*PLAN, "--config.seeds=2"), "a good flag", GOOD, alone=True)
    word = ground.rng.choice(FLAGS)
    return Case((*PLAN, word), word, REFUSED, alone=True)


def _spoiled(ground: Ground) -> Case:
    """A config file that is damaged, or none."""
    if ground.rng.random() < 0.5:
        kind, content = odd.spoiled(ground.rng, BASE.format(change="pass").encode())
        ground.write("c.py", content)
        return Case(PLAN, HEAD + kind, alone=True)
    kind, _ = odd.put(ground, "c.py")
    return Case(PLAN, HEAD + kind, FAILED, alone=True)
