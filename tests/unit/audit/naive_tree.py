"""RFC 6962, section 2.1, word for word and slow: what the real implementation is compared with."""

from adapter.audit.merkle import EMPTY_ROOT, node_hash
from adapter.audit.proofs import HashReader


def split(width):
    """The largest power of two smaller than width."""
    left = 1
    while left * 2 < width:
        left *= 2
    return left


def naive_root(leaves):
    """MTH(D[n]) over leaf hashes."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    middle = split(len(leaves))
    return node_hash(naive_root(leaves[:middle]), naive_root(leaves[middle:]))


def naive_path(index, leaves):
    """PATH(m, D[n]), 2.1.1."""
    if len(leaves) == 1:
        return []
    middle = split(len(leaves))
    if index < middle:
        return [*naive_path(index, leaves[:middle]), naive_root(leaves[middle:])]
    return [*naive_path(index - middle, leaves[middle:]), naive_root(leaves[:middle])]


def naive_consistency(old_size, leaves, *, whole=True):
    """SUBPROOF(m, D[n], b), 2.1.2."""
    if old_size == len(leaves):
        return [] if whole else [naive_root(leaves)]
    middle = split(len(leaves))
    if old_size <= middle:
        return [*naive_consistency(old_size, leaves[:middle], whole=whole), naive_root(leaves[middle:])]
    return [*naive_consistency(old_size - middle, leaves[middle:], whole=False), naive_root(leaves[:middle])]


class StoredHashes(HashReader):
    """What a log keeps of its tree (audit.proofs.HashReader), and how much of it was asked for."""

    def __init__(self, leaves):
        self.levels = [list(leaves)]
        while len(self.levels[-1]) >= 256:
            below = self.levels[-1]
            self.levels.append([naive_root(below[at : at + 256]) for at in range(0, len(below) - 255, 256)])
        self.asked = 0

    def hashes(self, level, start, count):
        self.asked += count
        found = self.levels[level][start : start + count]
        assert len(found) == count
        assert count <= 128
        return found
