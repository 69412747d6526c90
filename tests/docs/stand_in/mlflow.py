"""In the place of MLflow: it records what it is called with."""

from calls import note


def start_run(run_name: str) -> None:
    """Begin a run."""
    note("init", run_name)


def log_metrics(metrics: dict[str, float], step: int) -> None:
    """Record metrics."""
    note("log", "", step, sorted(metrics))


def log_metric(key: str, value: float) -> None:
    """Record one number."""
    note("metric", key, value)


def end_run() -> None:
    """End the run."""
    note("finish", "", {})
