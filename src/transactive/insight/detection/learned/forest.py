"""Boosted trees as arrays: evaluated with numpy alone, kept in a small file with its hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transactive.core.units import IntArray
from transactive.insight.detection.meters import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Trees as columns, shape (trees, nodes): at a node go left where feature ≤ threshold, else right.

    A leaf is its own left and right; value: what it adds, 0 elsewhere. depth: steps that reach every leaf.
    """

    feature: IntArray
    threshold: FloatArray
    left: IntArray
    right: IntArray
    value: FloatArray
    depth: int

    def margins(self, features: FloatArray) -> FloatArray:
        """Sum of the trees' leaves for each row of features, (rows,): log odds."""
        total = np.zeros(len(features))
        rows = np.arange(len(features))
        for tree in range(len(self.feature)):
            feature, threshold = self.feature[tree], self.threshold[tree]
            left, right = self.left[tree], self.right[tree]
            node = np.zeros(len(features), np.int64)
            for _ in range(self.depth):
                node = np.where(features[rows, feature[node]] <= threshold[node], left[node], right[node])
            total += self.value[tree][node]
        return total

    def columns(self, name: str) -> dict[str, Any]:
        """Arrays by name, for a file."""
        return {
            f"{name}.feature": self.feature.astype(np.int16),
            f"{name}.threshold": self.threshold.astype(np.float32),
            f"{name}.left": self.left.astype(np.int16),
            f"{name}.right": self.right.astype(np.int16),
            f"{name}.value": self.value.astype(np.float32),
        }

    @classmethod
    def of_columns(cls, columns: Mapping[str, NDArray[Any]], name: str) -> Forest:
        """A forest from the arrays of a file."""
        feature, left, right = (columns[f"{name}.{key}"].astype(np.int64) for key in ("feature", "left", "right"))
        threshold, value = (columns[f"{name}.{key}"].astype(np.float64) for key in ("threshold", "value"))
        return cls(feature, threshold, left, right, value, _depth(left, right))


def of_lightgbm(dump: dict[str, Any]) -> Forest:
    """A forest from `Booster.dump_model()` of a model with numerical features and no missing values."""
    trees = [_nodes(info["tree_structure"]) for info in dump["tree_info"]]
    most = max(len(tree) for tree in trees)
    shape = (len(trees), most)
    feature, left, right = (np.zeros(shape, np.int64) for _ in range(3))
    threshold, value = np.zeros(shape), np.zeros(shape)
    for row, tree in enumerate(trees):
        left[row], right[row] = np.arange(most), np.arange(most)
        for place, (by, limit, smaller, larger, leaf) in enumerate(tree):
            feature[row, place], threshold[row, place], value[row, place] = by, limit, leaf
            left[row, place], right[row, place] = smaller, larger
    rounded = threshold.astype(np.float32).astype(np.float64), value.astype(np.float32).astype(np.float64)
    return Forest(feature, rounded[0], left, right, rounded[1], _depth(left, right))


def _nodes(root: dict[str, Any]) -> list[tuple[int, float, int, int, float]]:
    """Nodes of a tree, the root first: feature, threshold, left, right, value."""
    nodes: list[tuple[int, float, int, int, float]] = []

    def add(node: dict[str, Any]) -> int:
        place = len(nodes)
        nodes.append((0, 0.0, place, place, float(node.get("leaf_value", 0.0))))
        if "split_feature" in node:
            smaller, larger = add(node["left_child"]), add(node["right_child"])
            nodes[place] = (int(node["split_feature"]), float(node["threshold"]), smaller, larger, 0.0)
        return place

    add(root)
    return nodes


def _depth(left: IntArray, right: IntArray) -> int:
    """Most steps from a root to a leaf."""
    level = np.zeros(left.shape, np.int64)
    rows = np.arange(len(left))
    for place in range(left.shape[1]):  # children stand after their parent
        for child in (left[:, place], right[:, place]):
            below = child != place
            level[rows[below], child[below]] = level[below, place] + 1
    return int(level.max())
