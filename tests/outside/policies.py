"""Policies that the package does not have, each with a need of its own. No file of salx is touched.

They are found as `tests.outside.policies:Class`, or by the names that they register.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from salx.policies import Chosen, Dropout, Needs, Policy, WeightNoise, top


@dataclass(frozen=True)
class Everything(Policy):
    """Needs the seed, the classifier, the labels of what is labelled, and rows of two fields.

    A row's score is its error's norm, how far its features lie from the mean of the labelled rows
    of its predicted class, and a draw of the seed that breaks ties.
    """

    name = "everything"
    title = "everything at once"
    unit = "norm"
    marker = "X"

    @property
    def needs(self):
        return Needs(("logits", "features"), labels=True, labelled=True, classifier=True)

    def score(self, out):
        p = jax.nn.softmax(out.logits)
        return {"error": p - jax.nn.one_hot(p.argmax(), p.size), "features": out.features}

    def select(self, scored, count):
        w, b = scored.classifier
        guess = (scored.rows["features"] @ w + b).argmax(-1)
        classes, mean = w.shape[1], scored.labelled.rows["features"].mean(0)
        labels = scored.labelled.labels
        means = np.stack([
            scored.labelled.rows["features"][labels == c].mean(0) if (labels == c).any() else mean
            for c in range(classes)
        ])  # fmt: skip
        far = np.linalg.norm(scored.rows["features"] - means[guess], axis=1)
        draw = np.random.default_rng(scored.seed).random(scored.pool)[scored.ids]
        values = np.linalg.norm(scored.rows["error"], axis=1) * far + 1e-9 * draw
        positions = top(values, scored.ids, count)
        return Chosen(positions, values[positions])


@dataclass(frozen=True)
class Disagreement(Policy):
    """The variance of the probabilities over five dropout passes."""

    name = "disagreement"

    passes: int = 5

    @property
    def needs(self):
        return Needs(passes=Dropout(self.passes))

    def score(self, out):
        return jax.nn.softmax(out.logits).var(0).sum()


@dataclass(frozen=True)
class ShownMasks(Policy):
    """The logits of five dropout passes as they are."""

    name = "shown_masks"

    @property
    def needs(self):
        return Needs(passes=Dropout(5))

    def score(self, out):
        return out.logits


@dataclass(frozen=True)
class Stability(Policy):
    """How far noise on the weights moves the probabilities."""

    name = "stability"

    scale: float = 1e-2

    @property
    def needs(self):
        return Needs(passes=WeightNoise(3, self.scale))

    def score(self, out):
        p = jax.nn.softmax(out.logits)
        return jnp.abs(p - p.mean(0)).sum()


@dataclass(frozen=True)
class Votes(Policy):
    """The share of members, or passes, that do not vote for the most frequent class."""

    name = "votes"

    @property
    def needs(self):
        return Needs(members=True)

    def score(self, out):
        votes = jax.nn.one_hot(out.logits.argmax(-1), out.logits.shape[-1]).mean(0)
        spread = jax.nn.softmax(out.logits).var(0).sum()
        return 1 - votes.max() + 1e-3 * spread


@dataclass(frozen=True)
class Few(Policy):
    """Chooses three at the most, and says why."""

    name = "few"

    def score(self, out):
        return -out.logits.max()

    def select(self, scored, count):
        positions = top(scored.rows, scored.ids, min(count, 3))
        reason = "three are enough" if count > 3 else ""
        return Chosen(positions, scored.rows[positions], reason)


@dataclass(frozen=True)
class Holding(Policy):
    """Holds another policy, and takes its scores the other way round."""

    name = "holding"

    inner: Policy
    sign: float = -1.0

    @property
    def needs(self):
        return self.inner.needs

    def score(self, out):
        return self.sign * self.inner.score(out)


@dataclass(frozen=True)
class Twice(Policy):
    """Breaks the rules: chooses its best candidate twice."""

    name = "twice"

    def score(self, out):
        return out.logits.max()

    def select(self, scored, count):
        return Chosen(np.zeros(count, np.int64), np.zeros(count, np.float32))
