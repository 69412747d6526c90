"""What tests compare with: plain float64 numpy, one formula after the other."""

import numpy as np


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return log p along the last axis."""
    shifted = np.float64(logits) - np.max(logits, -1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def entropy(logits: np.ndarray) -> np.ndarray:
    """Return the entropy of softmax(logits) along the last axis; p log p is 0 where p is."""
    shifted = np.asarray(logits, np.float64)
    shifted = shifted - shifted.max(-1, keepdims=True)
    p = np.exp(shifted)
    p /= p.sum(-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * np.log(p), 0.0)
    return -terms.sum(-1)


def ranking_loss(p: np.ndarray, losses: np.ndarray, counted: np.ndarray, margin: float) -> float:
    """Return the ranking loss of Yoo and Kweon (2019), equation 2, pair by pair.

    Example i of the first half is compared with example -1 - i of the second one, place by place
    where both count.
    """
    terms = [
        max(0.0, margin - np.sign(l_i - l_j) * (float(p_i) - float(p_j)))
        for i in range(len(p) // 2)
        for p_i, p_j, l_i, l_j, c_i, c_j in zip(
            *(x[k].ravel() for x in (p, losses, counted) for k in (i, len(p) - 1 - i)),
            strict=True,
        )
        if c_i and c_j
    ]
    return np.mean(terms) if terms else 0.0


def nearest_squared(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the squared distance of each point to the nearest centre; inf where there is none."""
    nearest = np.full(len(points), np.inf)
    for centre in centres.astype(np.float64):
        nearest = np.minimum(nearest, ((points.astype(np.float64) - centre) ** 2).sum(1))
    return nearest


def greedy_k_center(
    features: np.ndarray, centres: np.ndarray, count: int
) -> tuple[list[int], list[float]]:
    """Return (picks, their distances when picked); ties go to the lowest position."""
    distance, picks, radii = nearest_squared(features, centres), [], []
    for _ in range(count):
        picks.append(int(np.argmax(distance)))
        radii.append(np.sqrt(distance[picks[-1]]))
        distance = np.minimum(distance, nearest_squared(features, features[picks[-1:]]))
        distance[picks] = -1
    return picks, radii
