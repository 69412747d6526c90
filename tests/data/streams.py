"""Batches of a source in one call, for tests."""

from salx.data import loader
from salx.data.loader import EvalStream, Order, TrainStream
from salx.data.options import READ_HERE


def train_batches(source, transform, ids, seed, batch, stop, start=0, readers=READ_HERE):
    stream = TrainStream(source, transform, ids, Order(seed, batch, start, stop))
    return loader.train_batches(stream, readers)


def eval_batches(source, transform, ids, batch, readers=READ_HERE, first=0):
    return loader.eval_batches(EvalStream(source, transform, ids, batch, first), readers)
