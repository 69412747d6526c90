"""Command lines: values that no flag takes, flags that are unknown, missing, empty or twice."""

from tests.fuzz import odd
from tests.fuzz.case import ANY, GOOD, REFUSED, Case, Ground, select
from tests.fuzz.materials import BRIGHT

# Values that a flag must refuse.
WRONG = {
    "batch": (
        "",
        "0",
        "-1",
        "x",
        "1.5",
        "nan",
        "1e999",
        "9" * 25,
        "9" * 5000,
        "None",
        "1 2",
        "0x8",
    ),
    "threads": ("", "-1", "x", "1.5", "nan", "9" * 25, "9" * 5000, "1000000", "-0.5"),
    "seed": ("", "x", "1.5", "nan", "inf", "0x10", "9" * 5000, "--", "1e3"),
    "budget": (
        *("", "0", "-1", "x", "1.5", "nan", "inf", "nan%", "inf%", "-5%", "0%", "%", "%5", "5%%"),
        *(
            "101%",
            "1e99999999%",
            "1e999",
            "9" * 25,
            "9" * 5000,
            "1/0%",
            "0x2",
            "2 %x",
            "1e-99999999%",
        ),
    ),
    "size": ("0,9", "9", "9,", ",9", "-8,8", "x,y", "8,8,8", "nan,8", "1e3,8", "8x8", "8.0,8.0"),
    "on_error": ("", "ignore", "SKIP", "raise,skip", "None"),
    "policy": (
        *("", "entrpy", "random,seed", "random,nope=1", "core_set,feature=", ",", "nowhere:Policy"),
        *("json:loads", "sys:exit", "salx.policies:Policy", ":", "a:b:c", "random,=", "entropy,"),
        *("entropy,aggregation=nope", "entropy,aggregation=[1", "learning_loss", "true_loss"),
        *("core_set,feature=5", "entropy,aggregation=null", "entropy,aggregation={}"),
    ),
    "surrogate": (
        *("", "gone.npz", "pool", "pool/0.png", "nowhere:X", "sys:exit", "json:loads", "+", "a+b"),
        *("builtins:KeyboardInterrupt", "os:getcwd", "gone/run", "a:b:c", "s3://b/k", "gs://", ":"),
    ),
    "pool": (
        *("", "gone", "gone.csv", "pool/0.png", "digit", "digits,nope=1", "digits,", "s3://b/k"),
        *(
            "folder",
            "folder,dir=",
            "folder,dir=gone",
            "folder,dir=3",
            "camvid,dir=pool",
            "nowhere:X",
        ),
        *("digits,resize=-1", "digits,resize=nan", "digits,on_error=3", "scenes,nope", "sys:exit"),
        *(
            "folder,dir=pool,task=nope",
            "folder,dir=pool,labels=3",
            "digits,cache=3",
            "digits,resize=9e9",
        ),
    ),
    "out": ("", "p.json", "p", "pool", "pool/0.png", "/proc/nowhere/p.jsonl", "s3://b/p.jsonl"),
    "csv": ("", "pool", "/proc/x.csv", "pool/0.png/x.csv", "gs://b/x"),
    "sheet": ("", "p.pdf", "p", "pool", "/proc/x.html"),
    "label_studio": ("", "pool", "/proc/x.json"),
    "fiftyone": ("", "pool/0.png", "/proc/x"),
    "copy": ("", "pool/0.png", "/proc/x"),
    "labelled": ("", "gone.txt", "gone.csv", "s3://b/k"),
}
LATENCY = {
    "size": (
        "",
        "0x8",
        "x",
        "8",
        "8x",
        "-8x8",
        "8x8x8",
        "nanxnan",
        "9" * 30 + "x8",
        "²x8",
        "8.0x8",
    ),
    "classes": ("", "0", "-1", "x", "1.5", "nan", "²", "9" * 30, "9" * 5000, "1e3"),
    "tops": ("", "=5", "A", "A=", "A=x", "A=0", "A=-1", "A=nan", "A=inf", "A=1e999", "A=0=1"),
    "format": ("", "nope", "TEXT", "json5"),
    "model": ("", "resnet", "nowhere:X", "sys:exit", "json:loads", "os:getcwd", ":", "tests:x"),
}


def make(ground: Ground) -> Case:
    """A command line with one thing wrong, or with nothing."""
    kinds = (_selecting,) * 6 + (_latency, _latency, _convert, _report, _command)
    return ground.rng.choice(kinds)(ground)


def _selecting(ground: Ground) -> Case:
    rng = ground.rng
    ground.pool()
    flag = rng.choice([*WRONG])
    if ground.is_good:
        more = rng.choice([(), ("--csv=x.csv",), ("--copy=c",), ("--seed=3", "--batch=2")])
        return Case(select(*more), "flags: a good selection", GOOD)
    if flag in ("size", "surrogate") or rng.random() < 0.2:
        by = (f"--surrogate={BRIGHT}", "--policy=entropy")
    else:
        by = ()
    kind = rng.choice(("wrong", "wrong", "wrong", "odd", "unknown", "missing", "twice", "stray"))
    if kind == "wrong":
        word = f"--{flag}={rng.choice(WRONG[flag])}"
        by = () if flag == "policy" else by
        if flag == "surrogate":
            by = ("--policy=entropy",)
        return Case(select(*by, word), f"flags: {word[:60]}", REFUSED)
    if kind == "odd":
        value = odd.text(rng)
        return Case(select(*by, f"--{flag}={value}"), f"flags: --{flag}={value[:40]!r}", ANY)
    if kind == "unknown":
        name = odd.misspelt(rng, flag)
        return Case(select(f"--{name}=x"), "flags: an unknown flag", REFUSED)
    if kind == "missing":
        gone = rng.choice(("pool", "budget", "out"))
        words = [word for word in select() if not word.startswith(f"--{gone}")]
        return Case(tuple(words), f"flags: no --{gone}", REFUSED)
    if kind == "twice":
        words = rng.choice((["--pool=gone"], ["--pool="], ["--budget=x"], ["--out=p.json"]))
        return Case((*select(), *words), f"flags: twice, {words[0]}", REFUSED)
    word = rng.choice(("stray", "--", "-", "", "-x", "--=3", "---pool=x", "pool", "--pool"))
    return Case((*select(), word), f"flags: stray {word!r}")


def _latency(ground: Ground) -> Case:
    rng = ground.rng
    if ground.is_good:
        return Case(("latency", "--model=cifar_resnet8", "--size=8x8"), "latency: good", GOOD)
    flag = rng.choice([*LATENCY])
    base = {"model": "cifar_resnet8", "size": "8x8"}
    base.pop(flag, None)
    words = [f"--{name}={value}" for name, value in base.items()]
    if rng.random() < 0.7:
        value = rng.choice(LATENCY[flag])
        return Case(("latency", *words, f"--{flag}={value}"), f"latency: --{flag}", REFUSED)
    return Case(("latency", *words, f"--{flag}={odd.text(rng)}"), f"latency: odd --{flag}")


def _convert(ground: Ground) -> Case:
    rng = ground.rng
    ground.write("net.safetensors", ground.materials.network.read_bytes())
    if ground.is_good:
        return Case(("convert", "net.safetensors", "ours.npz"), "convert: good", GOOD)
    targets = ("", "x", "x.pth", "net", ".", "/proc/x.npz", "net.safetensors/x.npz", "gs://b/x.npz")
    pair = rng.choice(
        [("net.safetensors", target) for target in targets]
        + [(source, "x.npz") for source in ("", "gone.npz", ".", "x", "gone/", "s3://b/k")]
    )
    more = rng.choice([[], [], [], ["--origin=nope"], ["--origin="], ["stray"], ["--nope"]])
    return Case(("convert", *pair, *more), f"convert: {pair} {more}", REFUSED)


def _report(ground: Ground) -> Case:
    rng = ground.rng
    ground.pool()
    where = rng.choice(
        ("pool", "gone", "", "pool/0.png", "s3://b/k", "gs://", "gs:///x", odd.text(rng))
    )
    more = rng.choice(([], [], ["more"], ["--nope"]))
    return Case(("report", where, *more), f"report: {where[:40]!r}", REFUSED)


def _command(ground: Ground) -> Case:
    rng = ground.rng
    if ground.is_good:
        return Case(rng.choice((("--help",), ("select", "--help"), ("-h",))), "help", GOOD)
    name = odd.misspelt(rng, rng.choice(("select", "report", "study", "convert")))
    return Case((rng.choice((name, odd.text(rng))), "x"), "no such command", REFUSED)
