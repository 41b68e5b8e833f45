"""A commit and paths in it -> the last commit that changed each path, found in one walk through the history."""

from __future__ import annotations

from dulwich.diff_tree import tree_changes
from dulwich.objects import Commit, ObjectID
from dulwich.walk import Walker

from . import trees
from .repository import Repository


def last_changes(repo: Repository, head: ObjectID, wanted: dict[bytes, str]) -> dict[str, Commit]:
    """`wanted` maps paths as git holds them to the names of the answer; folders count as changed with their contents.

    A merge changes only what it has from none of its parents.
    """
    found: dict[str, Commit] = {}
    left = dict(wanted)
    for entry in Walker(repo.objects, [head], order="topo"):
        if not left:
            break
        for path in _changed(repo, entry.commit) & left.keys():
            found[left.pop(path)] = entry.commit
    return found


def _changed(repo: Repository, commit: Commit) -> set[bytes]:
    parents = [repo.commit(parent).tree for parent in commit.parents if parent in repo.objects]
    if not parents:
        return {path for path, _, _ in trees.walk(repo.objects, commit.tree)}
    return set.intersection(*(_between(repo, parent, commit.tree) for parent in parents))


def _between(repo: Repository, old: ObjectID, new: ObjectID) -> set[bytes]:
    changes = tree_changes(repo.objects, old, new, include_trees=True)
    return {change.new.path for change in changes if change.new is not None and change.new.path is not None}
